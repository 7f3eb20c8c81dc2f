// (1 + t) / 2 + v/2 · (1 - t²) · u', u = √(2/π) · (v + 0.044715 · v³), t = tanh(u)
fn slope(v: vec4f) -> vec4f {
  let u = clamp(0.7978845608 * fma(0.044715 * v * v, v, v), vec4f(-10.0), vec4f(10.0));
  // 1 - t from an exponential: where t is next to 1, a difference would lose it.
  let below = 2.0 / (1.0 + exp(2.0 * u));
  let above = 2.0 / (1.0 + exp(-2.0 * u));
  let inner = 0.7978845608 * fma(vec4f(0.134145), v * v, vec4f(1.0));
  let steep = select(0.5 * v * below * above * inner, vec4f(), abs(u) >= vec4f(10.0));
  return 0.5 * above + steep;
}
