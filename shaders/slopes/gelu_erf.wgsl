// Φ(v) + v · φ(v), φ(v) = exp(-v²/2) / √(2π), Φ as in activations/gelu_erf.
fn slope(v: vec4f) -> vec4f {
  let z = min(abs(v) * 0.70710678, vec4f(9.0));
  let t = 1.0 / fma(z, vec4f(0.3275911), vec4f(1.0));
  var p = vec4f(1.061405429);
  p = fma(p, t, vec4f(-1.453152027));
  p = fma(p, t, vec4f(1.421413741));
  p = fma(p, t, vec4f(-0.284496736));
  p = fma(p, t, vec4f(0.254829592));
  let bell = exp(-z * z);
  let tail = 0.5 * p * t * bell;
  return fma(v * 0.3989422804, bell, select(1.0 - tail, tail, v < vec4f()));
}
