// dbias       vec4f [QUADS]   f32 whatever is stored elsewhere; padding 0
@group(0) @binding(4) var<storage, read_write> dbias: array<vec4f>;

fn storeBias(quad: u32, total: vec4f) {
  dbias[quad] = accumulated(dbias[quad], total);
}
