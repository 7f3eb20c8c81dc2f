// x         vec4f [ROWS, QUADS]   f32 whatever is stored elsewhere, padding 0
@group(0) @binding(0) var<storage, read> x: array<vec4f>;

fn termOf(at: u32) -> vec4f {
  return x[at];
}
