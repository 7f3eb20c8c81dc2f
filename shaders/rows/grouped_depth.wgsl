// Products that each add up over an expert's rows, known only when it runs: every expert is a part of M rows of y.
//
// offsets   u32 [experts + 1]   first row of each expert in both operands, then the number of rows in use
override M: u32;

@group(0) @binding(3) var<storage, read> offsets: array<u32>;

// Rows `first` to `end` of y, which are sums over rows `begin` to `stop` of the operands.
struct Part {
  index: u32,
  first: u32,
  end: u32,
  begin: u32,
  stop: u32,
}

// One past the last row that the invocation's part reads.
var<private> stop_row: u32;

fn partOf(index: u32) -> Part {
  // Read back from the private variable, it would not be known to be the same in all invocations.
  let stop = offsets[index + 1u];
  stop_row = stop;
  return Part(index, index * M, (index + 1u) * M, offsets[index], stop);
}

// Quads along k; those of an expert without rows are none.
fn depthOf(part: Part) -> u32 {
  return (part.stop - part.begin + 3u) / 4u;
}
