// What becomes of a product before it is stored: activation(SCALE · v + bias) · gate + residual, where those
// that a call does not have are left out. Zeros in the padding stay zeros.
override SCALE: f32;
override ACTIVATION: u32;  // 0 none, 1 GELU (tanh form), 2 SiLU, 3 ReLU

fn activate(v: vec4f) -> vec4f {
  switch (ACTIVATION) {
    case 1u: {
      // tanh(u) differs from ±1 by less than f32 can show from |u| = 10 on, and larger arguments
      // overflow in drivers that compute it from exponentials.
      let u = clamp(0.7978845608 * fma(0.044715 * v * v, v, v), vec4f(-10.0), vec4f(10.0));
      return 0.5 * v * (1.0 + tanh(u));
    }
    case 2u: {
      return v / (1.0 + exp(min(-v, vec4f(80.0))));
    }
    case 3u: {
      return max(v, vec4f());
    }
    default: {
      return v;
    }
  }
}

// `v` is quad `column` of row `row` of the product.
fn finish(part: Part, v: vec4f, row: u32, column: u32) -> vec4f {
  let activated = activate(withBias(SCALE * v, part, column));
  return withResidual(withGate(activated, row, column), row, column);
}
