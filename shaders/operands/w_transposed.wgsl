// Operands of x · wᵀ, in blocks as in plain.
//
// x         Quad [rows, K_QUADS]       padding 0
// w         Quad [parts, N, K_QUADS]   exactly N rows each, padding 0
@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

// Rows past the part's end repeat the last; they are not stored.
fn inputQuad(part: Part, row: u32, k: u32, i: u32) -> vec4f {
  return unpackQuad(x[min(row + i, part.end - 1u) * K_QUADS + k]);
}

fn inputBlock(quads: mat4x4f) -> mat4x4f {
  return quads;
}

// Zero past the last row of w, so that the padding of y stays 0.
fn weightQuad(part: Part, k: u32, column: u32) -> vec4f {
  let quad = unpackQuad(w[(part.index * N + min(column, N - 1u)) * K_QUADS + k]);
  return select(vec4f(), quad, column < N);
}

fn weightBlock(part: Part, k: u32, column: u32) -> mat4x4f {
  return transpose(mat4x4f(
    weightQuad(part, k, 4u * column),
    weightQuad(part, k, 4u * column + 1u),
    weightQuad(part, k, 4u * column + 2u),
    weightQuad(part, k, 4u * column + 3u),
  ));
}
