// GELU in its tanh form: v/2 · (1 + tanh(√(2/π) · (v + 0.044715 · v³)))
fn activate(v: vec4f) -> vec4f {
  // tanh(u) differs from ±1 by less than f32 can show from |u| = 10 on, and larger arguments
  // overflow in drivers that compute it from exponentials.
  let u = clamp(0.7978845608 * fma(0.044715 * v * v, v, v), vec4f(-10.0), vec4f(10.0));
  return 0.5 * v * (1.0 + tanh(u));
}
