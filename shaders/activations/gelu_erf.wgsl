// GELU as it is defined: v · Φ(v), Φ(v) = (1 + erf(v / √2)) / 2.
//
// 1 - erf(z) = P(1 / (1 + 0.3275911 · z)) · exp(-z²) for z ≥ 0, P of degree 5, off by 1.5e-7 at most
// (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
fn activate(v: vec4f) -> vec4f {
  let z = min(abs(v) * 0.70710678, vec4f(9.0));
  let t = 1.0 / fma(z, vec4f(0.3275911), vec4f(1.0));
  var p = vec4f(1.061405429);
  p = fma(p, t, vec4f(-1.453152027));
  p = fma(p, t, vec4f(1.421413741));
  p = fma(p, t, vec4f(-0.284496736));
  p = fma(p, t, vec4f(0.254829592));
  let tail = 0.5 * p * t * exp(-z * z);
  return v * select(1.0 - tail, tail, v < vec4f());
}
