// Operands of x · wᵀ, in blocks as in plain.
//
// x         Quad [rows, K_QUADS]       padding 0
// w         Quad [parts, N, K_QUADS]   exactly N rows each, padding 0
@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

// Of each of four rows of w.
alias WeightStart = vec4u;

// Start of a row that is not there: it is zero, so that the padding of y stays 0.
const NOWHERE = 0xffffffffu;

// Rows past the part's end repeat the last; they are not stored.
fn inputStart(part: Part, row: u32, i: u32) -> u32 {
  return min(row + i, part.end - 1u) * K_QUADS;
}

fn inputQuad(start: u32, k: u32) -> Vector {
  return operand(x[start + k]);
}

fn inputBlock(quads: Block) -> Block {
  return quads;
}

fn weightStart(part: Part, column: u32) -> WeightStart {
  let rows = 4u * column + vec4u(0u, 1u, 2u, 3u);
  return select(vec4u(NOWHERE), (part.index * N + rows) * K_QUADS, rows < vec4u(N));
}

fn weightQuad(start: u32, k: u32) -> Vector {
  if (N % 4u == 0u) {
    return operand(w[start + k]);
  }
  let quad = operand(w[select(start + k, 0u, start == NOWHERE)]);
  return select(quad, Vector(), start == NOWHERE);
}

fn weightBlock(start: WeightStart, k: u32) -> Block {
  return transpose(Block(
    weightQuad(start.x, k),
    weightQuad(start.y, k),
    weightQuad(start.z, k),
    weightQuad(start.w, k),
  ));
}

// A quad of a block of x is of one row, whatever the order of the four: w does not meet it.
const QUADS_ARE_ROWS = true;

fn weightBlockFrom(start: WeightStart, k: u32, first: u32) -> Block {
  return weightBlock(start, k);
}
