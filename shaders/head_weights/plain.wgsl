// Of each head a block of columns: w Quad [4 · K_QUADS, W_PITCH], N_QUADS from W_FIRST + head · W_STEP on.
//
// x · w, four columns of it, of quad `k` of four rows of x.
fn productsOf(rows: mat4x4f, head: u32, column: u32, k: u32) -> mat4x4f {
  let at = 4u * k * W_PITCH + W_FIRST + head * W_STEP + column;
  return mat4x4f(
    unpackQuad(w[at]),
    unpackQuad(w[at + W_PITCH]),
    unpackQuad(w[at + 2u * W_PITCH]),
    unpackQuad(w[at + 3u * W_PITCH]),
  ) * rows;
}
