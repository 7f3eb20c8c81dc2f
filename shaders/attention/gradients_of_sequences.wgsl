// dqkv      Quad [BATCH · SEQUENCE, QKV_QUADS]   as qkv
@group(0) @binding(6) var<storage, read_write> dqkv: array<Quad>;

fn storeQueryGradient(token: u32, head: u32, quad: u32, q: vec4f) {
  dqkv[token * QKV_QUADS + head * HEAD_QUADS + quad] = packQuad(q);
}

fn storeKeyGradient(token: u32, kv_head: u32, quad: u32, k: vec4f) {
  dqkv[token * QKV_QUADS + (HEADS + kv_head) * HEAD_QUADS + quad] = packQuad(k);
}
