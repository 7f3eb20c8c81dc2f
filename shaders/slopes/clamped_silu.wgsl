// That of c · sigmoid(1.702 · c) with c no more than 7: 0 beyond.
fn slope(v: vec4f) -> vec4f {
  let u = clamp(1.702 * v, vec4f(-80.0), vec4f(80.0));
  let s = 1.0 / (1.0 + exp(-u));
  let rest = 1.0 / (1.0 + exp(u));
  return select(s * fma(1.702 * v, rest, vec4f(1.0)), vec4f(), v > vec4f(7.0));
}
