// 1 / (1 + e^-v)
fn activate(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(min(-v, vec4f(80.0))));
}
