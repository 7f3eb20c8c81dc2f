// Operands of x · w.
//
// x         Quad [rows, K_QUADS]       padding 0
// w         Quad [parts, K, N_QUADS]   exactly K rows each, padding 0
//
// Products take both in blocks of 4 × 4 elements: four rows of x at a quad of k, and the four rows of w that it
// meets at a quad of columns. Block of w times column of the block of x is a quad of one row of y. Where the
// blocks of some rows or columns start is found once, before the walk along k.
@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

alias WeightStart = u32;

// Of the four quads in memory that hold a block of x: where the i-th is at k = 0 for the rows from `row` on, a
// multiple of 4 from the part's first. Rows past the part's end repeat the last; they are not stored.
fn inputStart(part: Part, row: u32, i: u32) -> u32 {
  return min(row + i, part.end - 1u) * K_QUADS;
}

// That quad of the block at quad `k`.
fn inputQuad(start: u32, k: u32) -> Vector {
  return operand(x[start + k]);
}

// The block whose quads these are: its columns are rows of x.
fn inputBlock(quads: Block) -> Block {
  return quads;
}

fn weightStart(part: Part, column: u32) -> WeightStart {
  return part.index * K * N_QUADS + column;
}

// Past the last row of w that row is repeated, and meets zeros of x.
fn weightQuad(start: u32, k: u32) -> Vector {
  if (K % 4u == 0u) {
    return operand(w[start + k * N_QUADS]);
  }
  return operand(w[start + min(k, K - 1u) * N_QUADS]);
}

// The block of w at quad `k`: its columns are rows of w.
fn weightBlock(start: WeightStart, k: u32) -> Block {
  return Block(
    weightQuad(start, 4u * k),
    weightQuad(start, 4u * k + 1u),
    weightQuad(start, 4u * k + 2u),
    weightQuad(start, 4u * k + 3u),
  );
}

// A quad of a block of x is of one row, whatever the order of the four: w does not meet it.
const QUADS_ARE_ROWS = true;

fn weightBlockFrom(start: WeightStart, k: u32, first: u32) -> Block {
  return weightBlock(start, k);
}
