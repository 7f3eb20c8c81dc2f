// Rows of a product that are known beforehand: one or more parts, side by side, of M rows each.
override M: u32;

// Rows `first` to `end` of x and y, which meet matrix `index` of w.
struct Part {
  index: u32,
  first: u32,
  end: u32,
}

fn partOf(index: u32) -> Part {
  return Part(index, index * M, (index + 1u) * M);
}

// Quads along k.
fn depthOf(part: Part) -> u32 {
  return K_QUADS;
}
