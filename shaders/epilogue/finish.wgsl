// What becomes of a product before it is stored: activate(SCALE · v + bias) · gate · sigmoid(row gate) +
// residual, where those that a call does not have are left out. Zeros in the padding stay zeros.
override SCALE: f32;
override Y_QUADS: u32 = N_QUADS;  // from one row of y to the next: more where y is a block of a wider tensor's columns

// Where quad `column` of a row of y is, and of the tables that have a row for each of y's.
fn placeOf(row: u32, column: u32) -> u32 {
  return row * Y_QUADS + column;
}

// `v` is quad `column` of row `row` of the product.
fn finish(part: Part, v: vec4f, row: u32, column: u32) -> vec4f {
  let activated = activate(withBias(SCALE * v, part, column));
  let gated = withRowGate(withGate(activated, row, column), row);
  return withResidual(gated, row, column);
}
