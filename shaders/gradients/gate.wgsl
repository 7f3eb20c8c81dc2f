// gate      Quad [ROWS, QUADS]   padding 0
// dgate     Quad [ROWS, QUADS]   padding 0
@group(0) @binding(3) var<storage, read> gate: array<Quad>;
@group(0) @binding(4) var<storage, read_write> dgate: array<Quad>;

fn storeGradients(at: u32, dh: vec4f, v: vec4f) {
  du[at] = packQuad(dh * unpackQuad(gate[at]) * slope(v));
  dgate[at] = packQuad(dh * activate(v));
}
