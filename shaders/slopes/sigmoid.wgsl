// s · (1 - s), s = sigmoid(v)
fn slope(v: vec4f) -> vec4f {
  let s = 1.0 / (1.0 + exp(clamp(-v, vec4f(-80.0), vec4f(80.0))));
  let rest = 1.0 / (1.0 + exp(clamp(v, vec4f(-80.0), vec4f(80.0))));
  return s * rest;
}
