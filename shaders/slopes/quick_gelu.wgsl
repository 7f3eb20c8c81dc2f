// s · (1 + u · (1 - s)), u = 1.702 · v, s = sigmoid(u)
fn slope(v: vec4f) -> vec4f {
  let u = clamp(1.702 * v, vec4f(-80.0), vec4f(80.0));
  let s = 1.0 / (1.0 + exp(-u));
  let rest = 1.0 / (1.0 + exp(u));
  return s * fma(1.702 * v, rest, vec4f(1.0));
}
