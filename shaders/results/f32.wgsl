// y         vec4f [rows, N_QUADS], rows Y_QUADS apart   f32 whatever is stored elsewhere; overwritten; padding 0
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn writeResult(at: u32, v: vec4f) {
  y[at] = v;
}
