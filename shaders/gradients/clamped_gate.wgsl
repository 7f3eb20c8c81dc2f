// gate      Quad [ROWS, QUADS]   padding 0; within ±7 and one more it is a factor
// dgate     Quad [ROWS, QUADS]   padding 0; 0 beyond
@group(0) @binding(3) var<storage, read> gate: array<Quad>;
@group(0) @binding(4) var<storage, read_write> dgate: array<Quad>;

fn storeGradients(at: u32, dh: vec4f, v: vec4f) {
  let g = unpackQuad(gate[at]);
  du[at] = packQuad(dh * (1.0 + clamp(g, vec4f(-7.0), vec4f(7.0))) * slope(v));
  dgate[at] = packQuad(select(dh * activate(v), vec4f(), abs(g) > vec4f(7.0)));
}
