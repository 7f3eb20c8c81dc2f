// dv        Quad [tokens, KV_HEADS · VALUE_QUADS]
@group(0) @binding(7) var<storage, read_write> dv: array<Quad>;

fn storeValueGradient(token: u32, kv_head: u32, quad: u32, v: vec4f) {
  dv[(token * KV_HEADS + kv_head) * VALUE_QUADS + quad] = packQuad(v);
}
