// Of products with gradients.
//
// dy        Quad [ROWS, X_QUADS]               as x lies
// gains     Quad [QUERY_QUADS + KEY_QUADS]     of each head its own
@group(0) @binding(2) var<storage, read> dy: array<Quad>;
@group(0) @binding(3) var<storage, read> gains: array<Quad>;

fn factorOf(value: vec4f, at: u32, quad: u32) -> vec4f {
  return unpackQuad(dy[at]) * unpackQuad(gains[quad]);
}
