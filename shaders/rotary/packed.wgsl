// Queries and keys of a token lie side by side.
//
// x         Quad [ROWS, X_QUADS]   of each token queries, then keys, then what is not read
override X_QUADS: u32;

@group(0) @binding(0) var<storage, read> x: array<Quad>;

fn plainQuad(own: Head, quad: u32) -> vec4f {
  return unpackQuad(x[own.token * X_QUADS + own.head * HEAD_QUADS + quad]);
}
