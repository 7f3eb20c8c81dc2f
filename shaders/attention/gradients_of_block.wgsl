// Sums in f32 over blocks of keys, and over ranks with queries.
//
// dq        vec4f [BATCH · ROWS, HEADS · HEAD_QUADS]
// dkv       vec4f [BATCH · ROWS, KV_QUADS]   as kv
override ADDS_QUERIES: u32;  // 1: to what dq holds
override ADDS_KEYS: u32;     // 1: to what dkv holds

@group(0) @binding(6) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dkv: array<vec4f>;

fn storeQueryGradient(token: u32, head: u32, quad: u32, q: vec4f) {
  let at = (token * HEADS + head) * HEAD_QUADS + quad;
  dq[at] = q + select(vec4f(), dq[at], ADDS_QUERIES == 1u);
}

fn addToKeys(at: u32, value: vec4f) {
  dkv[at] = value + select(vec4f(), dkv[at], ADDS_KEYS == 1u);
}

fn storeKeyGradient(token: u32, kv_head: u32, quad: u32, k: vec4f) {
  addToKeys(token * KV_QUADS + kv_head * HEAD_QUADS + quad, k);
}

fn storeValueGradient(token: u32, kv_head: u32, quad: u32, v: vec4f) {
  addToKeys(token * KV_QUADS + firstValueQuad(kv_head) + quad, v);
}
