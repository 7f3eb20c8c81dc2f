// What a norm multiplies with: one head's for all queries and one for all keys, or of each head its own.
//
// gains     Quad [ALL_HEADS, HEAD_QUADS] if OWN_GAINS, else [2, HEAD_QUADS]
override OWN_GAINS: u32;

@group(0) @binding(3) var<storage, read> gains: array<Quad>;

fn gainQuad(head: u32, quad: u32) -> vec4f {
  let row = select(select(1u, 0u, head < HEADS), head, OWN_GAINS == 1u);
  return unpackQuad(gains[row * HEAD_QUADS + quad]);
}
