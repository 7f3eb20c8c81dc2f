// Rows of a product that are known only when it runs: every expert is a part, and its rows lie together.
//
// offsets   u32 [experts + 1]   first row of each expert, then the number of rows in use; rows beyond are
//                               neither read nor written
@group(0) @binding(3) var<storage, read> offsets: array<u32>;

// Rows `first` to `end` of x and y, which meet matrix `index` of w.
struct Part {
  index: u32,
  first: u32,
  end: u32,
}

fn partOf(index: u32) -> Part {
  return Part(index, offsets[index], offsets[index + 1u]);
}

// Quads along k.
fn depthOf(part: Part) -> u32 {
  return K_QUADS;
}
