// Heads of latent attention: a key is its head's part without positions, then one part with them that all heads share.
//
// x         Quad [ROWS, HEADS · HEAD_QUADS]                        queries
// kv        Quad [ROWS, KV_HEADS · (PLAIN_QUADS + VALUE_QUADS)]    of each head a key without positions, then a value
// down      Quad [ROWS, RANK_QUADS + HEAD_QUADS - PLAIN_QUADS]     what keys and values are made of, then the shared part
override PLAIN_QUADS: u32;
override VALUE_QUADS: u32;
override RANK_QUADS: u32;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(5) var<storage, read> kv: array<Quad>;
@group(0) @binding(6) var<storage, read> down: array<Quad>;

fn plainQuad(own: Head, quad: u32) -> vec4f {
  if (own.head < HEADS) {
    return unpackQuad(x[(own.token * HEADS + own.head) * HEAD_QUADS + quad]);
  }
  if (quad < PLAIN_QUADS) {
    return unpackQuad(kv[(own.token * KV_HEADS + own.head - HEADS) * (PLAIN_QUADS + VALUE_QUADS) + quad]);
  }
  let shared_quads = HEAD_QUADS - PLAIN_QUADS;
  return unpackQuad(down[own.token * (RANK_QUADS + shared_quads) + RANK_QUADS + quad - PLAIN_QUADS]);
}
