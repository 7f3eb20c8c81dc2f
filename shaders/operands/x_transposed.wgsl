// Operands of xᵀ · w, in blocks as in plain. Only for dense rows.
//
// x         Quad [parts, K, M_QUADS]   exactly K rows each, padding 0
// w         Quad [parts, K, N_QUADS]   exactly K rows each, padding 0
override M_QUADS: u32 = (M + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

alias WeightStart = u32;

// Columns of x past the last quad repeat it; they are not stored.
fn inputStart(part: Part, row: u32, i: u32) -> u32 {
  let column = min((row - part.first) / 4u, M_QUADS - 1u);
  return (part.index * K + i) * M_QUADS + column;
}

// Past the last row of x there is something else, or the end of all; it meets zeros of w.
fn inputQuad(start: u32, k: u32) -> Vector {
  if (K % 4u == 0u) {
    return operand(x[start + 4u * k * M_QUADS]);
  }
  return operand(x[min(start + 4u * k * M_QUADS, arrayLength(&x) - 1u)]);
}

fn inputBlock(quads: Block) -> Block {
  return transpose(quads);
}

fn weightStart(part: Part, column: u32) -> WeightStart {
  return part.index * K * N_QUADS + column;
}

fn weightQuad(start: u32, k: u32) -> Vector {
  if (K % 4u == 0u) {
    return operand(w[start + k * N_QUADS]);
  }
  let quad = operand(w[start + min(k, K - 1u) * N_QUADS]);
  return select(Vector(), quad, k < K);
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
