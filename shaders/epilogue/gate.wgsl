// gate      Quad [rows, N_QUADS], rows Y_QUADS apart   what the activated product is multiplied by
@group(0) @binding(5) var<storage, read> gate: array<Quad>;

fn withGate(v: vec4f, row: u32, column: u32) -> vec4f {
  return v * unpackQuad(gate[placeOf(row, column)]);
}
