// c · sigmoid(1.702 · c), c no more than 7: the gate of gpt-oss.
fn activate(v: vec4f) -> vec4f {
  let c = min(v, vec4f(7.0));
  return c / (1.0 + exp(min(-1.702 * c, vec4f(80.0))));
}
