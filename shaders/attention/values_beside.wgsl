// Values lie behind the queries and keys of their token.
override QKV_QUADS: u32 = (HEADS + KV_HEADS) * HEAD_QUADS + KV_HEADS * VALUE_QUADS;

// Within the row of a token.
fn firstValueQuad(kv_head: u32) -> u32 {
  return (HEADS + KV_HEADS) * HEAD_QUADS + kv_head * VALUE_QUADS;
}

fn valueQuad(token: u32, quad: u32) -> vec4f {
  return unpackQuad(qkv[token * QKV_QUADS + quad]);
}
