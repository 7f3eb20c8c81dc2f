// gate      Quad [rows, N_QUADS], rows Y_QUADS apart   what the activated product is multiplied by, between -7 and 7 and one more
//
// The product's padding is 0, and so is that of what it gives.
@group(0) @binding(5) var<storage, read> gate: array<Quad>;

fn withGate(v: vec4f, row: u32, column: u32) -> vec4f {
  return v * (1.0 + clamp(unpackQuad(gate[placeOf(row, column)]), vec4f(-7.0), vec4f(7.0)));
}
