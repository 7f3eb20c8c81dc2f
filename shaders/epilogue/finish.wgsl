// What becomes of a product before it is stored: activate(SCALE · v + bias) · gate · sigmoid(row gate) +
// residual, where those that a call does not have are left out. Zeros in the padding stay zeros.
override SCALE: f32;

// `v` is quad `column` of row `row` of the product.
fn finish(part: Part, v: vec4f, row: u32, column: u32) -> vec4f {
  let activated = activate(withBias(SCALE * v, part, column));
  let gated = withRowGate(withGate(activated, row, column), row);
  return withResidual(gated, row, column);
}
