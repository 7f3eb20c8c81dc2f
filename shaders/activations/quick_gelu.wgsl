// v · sigmoid(1.702 · v)
fn activate(v: vec4f) -> vec4f {
  return v / (1.0 + exp(min(-1.702 * v, vec4f(80.0))));
}
