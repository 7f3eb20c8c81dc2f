// Rows of one sum: those of an expert, which lie together.
//
// offsets   u32 [experts + 1]   first row of each expert, then the number of rows in use
@group(0) @binding(5) var<storage, read> offsets: array<u32>;

fn rowsOf(part: u32) -> vec2u {
  return vec2u(offsets[part], offsets[part + 1u]);
}
