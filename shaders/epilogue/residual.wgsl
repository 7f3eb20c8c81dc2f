// residual  Quad [rows, N_QUADS], rows Y_QUADS apart   padding 0
@group(0) @binding(6) var<storage, read> residual: array<Quad>;

fn withResidual(v: vec4f, row: u32, column: u32) -> vec4f {
  return v + unpackQuad(residual[placeOf(row, column)]);
}
