// y         Quad [rows, N_QUADS], rows Y_QUADS apart   overwritten; padding 0
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

fn writeResult(at: u32, v: vec4f) {
  y[at] = packQuad(v);
}
