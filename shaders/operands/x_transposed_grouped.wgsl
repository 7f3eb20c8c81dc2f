// Operands of xᵀ · w, in blocks as in plain, over the rows of one expert: what lies beyond them counts nothing, whatever
// it is.
//
// x         Quad [rows, M_QUADS]   padding 0
// w         Quad [rows, N_QUADS]   padding 0
override M_QUADS: u32 = (M + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

alias WeightStart = u32;

// Columns of x past the last quad repeat it; they are not stored.
fn inputStart(part: Part, row: u32, i: u32) -> u32 {
  let column = min((row - part.first) / 4u, M_QUADS - 1u);
  return (part.begin + i) * M_QUADS + column;
}

fn inputQuad(start: u32, k: u32) -> Vector {
  let at = start + 4u * k * M_QUADS;
  let is_own = at < stop_row * M_QUADS;
  return select(Vector(), operand(x[select(0u, at, is_own)]), is_own);
}

fn inputBlock(quads: Block) -> Block {
  return transpose(quads);
}

fn weightStart(part: Part, column: u32) -> WeightStart {
  return part.begin * N_QUADS + column;
}

fn weightQuad(start: u32, k: u32) -> Vector {
  let at = start + k * N_QUADS;
  let is_own = at < stop_row * N_QUADS;
  return select(Vector(), operand(w[select(0u, at, is_own)]), is_own);
}

fn weightBlock(start: WeightStart, k: u32) -> Block {
  return Block(
    weightQuad(start, 4u * k),
    weightQuad(start, 4u * k + 1u),
    weightQuad(start, 4u * k + 2u),
    weightQuad(start, 4u * k + 3u),
  );
}

// A quad of a block of x meets one row of w.
const QUADS_ARE_ROWS = false;

// The block for quads of x in the order first, first ^ 1, first ^ 2, first ^ 3.
fn weightBlockFrom(start: WeightStart, k: u32, first: u32) -> Block {
  return Block(
    weightQuad(start, 4u * k + first),
    weightQuad(start, 4u * k + (first ^ 1u)),
    weightQuad(start, 4u * k + (first ^ 2u)),
    weightQuad(start, 4u * k + (first ^ 3u)),
  );
}
