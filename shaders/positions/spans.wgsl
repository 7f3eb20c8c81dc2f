// Rows are new tokens of requests, QUERIES of each, whose earlier ones are cached. Those of padding may be past the last
// position there is.
//
// spans     vec2u [rows / QUERIES]   tokens cached before, and new ones
override SEQUENCE: u32;  // tokens of a request at most
override QUERIES: u32;

@group(0) @binding(7) var<storage, read> spans: array<vec2u>;

fn positionOf(row: u32) -> u32 {
  return min(spans[row / QUERIES].x + row % QUERIES, SEQUENCE - 1u);
}
