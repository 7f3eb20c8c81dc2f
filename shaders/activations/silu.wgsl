// v · sigmoid(v)
fn activate(v: vec4f) -> vec4f {
  return v / (1.0 + exp(min(-v, vec4f(80.0))));
}
