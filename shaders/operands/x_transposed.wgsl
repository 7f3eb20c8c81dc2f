// Operands of xᵀ · w, in blocks as in plain. Only for dense rows.
//
// x         Quad [parts, K, M_QUADS]   exactly K rows each, padding 0
// w         Quad [parts, K, N_QUADS]   exactly K rows each, padding 0
override M_QUADS: u32 = (M + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;

// Columns of x past the last quad repeat it; they are not stored. Past its last row that row is repeated, and
// meets zeros of w.
fn inputQuad(part: Part, row: u32, k: u32, i: u32) -> vec4f {
  let column = min((row - part.first) / 4u, M_QUADS - 1u);
  return unpackQuad(x[(part.index * K + min(4u * k + i, K - 1u)) * M_QUADS + column]);
}

fn inputBlock(quads: mat4x4f) -> mat4x4f {
  return transpose(quads);
}

fn weightQuad(part: Part, k: u32, column: u32) -> vec4f {
  let quad = unpackQuad(w[(part.index * K + min(k, K - 1u)) * N_QUADS + column]);
  return select(vec4f(), quad, k < K);
}

fn weightBlock(part: Part, k: u32, column: u32) -> mat4x4f {
  return mat4x4f(
    weightQuad(part, 4u * k, column),
    weightQuad(part, 4u * k + 1u, column),
    weightQuad(part, 4u * k + 2u, column),
    weightQuad(part, 4u * k + 3u, column),
  );
}
