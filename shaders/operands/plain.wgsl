// Operands of x · w.
//
// x         Quad [rows, K_QUADS]       padding 0
// w         Quad [parts, K, N_QUADS]   exactly K rows each, padding 0
//
// Products take both in blocks of 4 × 4 elements: four rows of x at a quad of k, and the four rows of w that it
// meets at a quad of columns. Block of w times column of the block of x is a quad of one row of y.
@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

// The i-th of the four quads in memory that hold the block of x from `row` on at quad `k`. `row` is a multiple
// of 4 from the part's first. Rows past the part's end repeat the last; they are not stored.
fn inputQuad(part: Part, row: u32, k: u32, i: u32) -> vec4f {
  return unpackQuad(x[min(row + i, part.end - 1u) * K_QUADS + k]);
}

// The block whose quads these are: its columns are rows of x.
fn inputBlock(quads: mat4x4f) -> mat4x4f {
  return quads;
}

// Past the last row of w that row is repeated, and meets zeros of x.
fn weightQuad(part: Part, k: u32, column: u32) -> vec4f {
  return unpackQuad(w[(part.index * K + min(k, K - 1u)) * N_QUADS + column]);
}

// The block of w at quad `k` of its rows and quad `column` of its columns: its columns are rows of w.
fn weightBlock(part: Part, k: u32, column: u32) -> mat4x4f {
  return mat4x4f(
    weightQuad(part, 4u * k, column),
    weightQuad(part, 4u * k + 1u, column),
    weightQuad(part, 4u * k + 2u, column),
    weightQuad(part, 4u * k + 3u, column),
  );
}
