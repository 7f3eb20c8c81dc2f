// Values lie in a tensor of their own.
//
// v         Quad [tokens, V_QUADS]   of head h those from V_FIRST + h · V_STEP on
override QKV_QUADS: u32 = (HEADS + KV_HEADS) * HEAD_QUADS;
override V_QUADS: u32;
override V_FIRST: u32;
override V_STEP: u32;

@group(0) @binding(2) var<storage, read> v: array<Quad>;

// Within the row of a token.
fn firstValueQuad(kv_head: u32) -> u32 {
  return V_FIRST + kv_head * V_STEP;
}

fn valueQuad(token: u32, quad: u32) -> vec4f {
  return unpackQuad(v[token * V_QUADS + quad]);
}
