// gate      Quad [ROWS, QUADS]
@group(0) @binding(2) var<storage, read> gate: array<Quad>;

fn factor(at: u32) -> vec4f {
  return unpackQuad(gate[at]);
}
