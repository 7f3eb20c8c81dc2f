fn storeValueGradient(token: u32, kv_head: u32, quad: u32, v: vec4f) {
  dqkv[token * QKV_QUADS + firstValueQuad(kv_head) + quad] = packQuad(v);
}
