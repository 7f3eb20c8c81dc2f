// 1 - tanh²(v / CAP)
fn slope(v: vec4f) -> vec4f {
  let u = clamp(v / CAP, vec4f(-20.0), vec4f(20.0));
  return 4.0 / ((1.0 + exp(2.0 * u)) * (1.0 + exp(-2.0 * u)));
}
