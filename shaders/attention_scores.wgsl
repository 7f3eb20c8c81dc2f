// attention_scores: what attention makes of the products of all queries and keys of each head of each sequence, written
// as f32 for a softmax of its own. Scores are in units of e; those of keys that a query does not see are so low that their
// exponential is 0.
//
// A workgroup takes 32 queries × 32 keys of one head, a lane 4 × 4 of them.
//
// qkv       Quad [BATCH · SEQUENCE, QKV_QUADS]                of each token: q, then k, then v where it does not lie apart
// y         f32 [BATCH, HEADS, SEQUENCE, 4 · SCORE_QUADS]     padding is written as zeros
// dispatch  ceil(SEQUENCE / 32), ceil(SEQUENCE / 32), BATCH · HEADS
override LANES: u32;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

const LN_2 = 0.6931471806;

// First quad of a token; those past the end repeat the last, and are not stored.
fn quadOf(sequence: u32, token: u32, quad: u32) -> u32 {
  return (sequence * SEQUENCE + min(token, SEQUENCE - 1u)) * QKV_QUADS + quad;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = group.z / HEADS;
  let head = group.z % HEADS;
  let query = group.y * 32u + lane / 8u * 4u;
  let key = group.x * 32u + lane % 8u * 4u;
  if (query >= SEQUENCE || key >= SEQUENCE) {
    return;
  }
  let q_quad = head * HEAD_QUADS;
  let k_quad = (HEADS + head / (HEADS / KV_HEADS)) * HEAD_QUADS;
  let q = vec4u(
    quadOf(sequence, query, q_quad),
    quadOf(sequence, query + 1u, q_quad),
    quadOf(sequence, query + 2u, q_quad),
    quadOf(sequence, query + 3u, q_quad),
  );
  let k = vec4u(
    quadOf(sequence, key, k_quad),
    quadOf(sequence, key + 1u, k_quad),
    quadOf(sequence, key + 2u, k_quad),
    quadOf(sequence, key + 3u, k_quad),
  );
  var products = mat4x4f();
  for (var quad = 0u; quad < HEAD_QUADS; quad++) {
    let b0 = unpackQuad(qkv[k[0] + quad]);
    let b1 = unpackQuad(qkv[k[1] + quad]);
    let b2 = unpackQuad(qkv[k[2] + quad]);
    let b3 = unpackQuad(qkv[k[3] + quad]);
    for (var i = 0u; i < 4u; i++) {
      let a = unpackQuad(qkv[q[i] + quad]);
      products[i] += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
    }
  }
  chooseHeads(vec4u(head));
  let keys = vec4u(key) + vec4u(0u, 1u, 2u, 3u);
  let pitch = (SEQUENCE + 3u) / 4u;
  for (var i = 0u; i < 4u; i++) {
    if (query + i < SEQUENCE) {
      let scores = LN_2 * scoresOf(products[i], vec4u(query + i), keys);
      y[(group.z * SEQUENCE + query + i) * pitch + key / 4u] =
        select(vec4f(), scores, keys < vec4u(SEQUENCE));
    }
  }
}
