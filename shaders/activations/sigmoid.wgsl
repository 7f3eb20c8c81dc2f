// 1 / (1 + e^-v), for products with a gate, whose padding is 0: of 0 it is not.
fn activate(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(min(-v, vec4f(80.0))));
}
