// attention: y = softmax(scores of q and k) · v for every head of every sequence, in one pass over the keys
// with an online softmax. The score matrix lives 32 × 32 at a time in workgroup memory and never leaves.
//
// A workgroup takes 32 queries of one head and walks the keys in blocks of 32. Per block:
//   1. scores   cells of 4 queries × 4 keys, dealt to the lanes
//   2. softmax  one query per lane: scores become exp2(score - largest so far)
//   3. output   each lane owns 8 queries × 2 quads of the head and holds their sums in registers
// so that a loaded quad of q, k or v serves 4 or 8 rows, and three barriers serve 32 × 32 scores.
//
// Query head h attends with key and value head h / (HEADS / KV_HEADS). What a query sees, and what its scores are, say
// attention/keys_seen.wgsl and attention/scores.wgsl; blocks that no query of the workgroup sees are skipped.
//
// qkv       Quad [BATCH · SEQUENCE, QKV_QUADS]   of each token: q, then k, then v where it does not lie apart
// y         Quad [BATCH · SEQUENCE, HEADS · VALUE_QUADS]
// dispatch  ceil(SEQUENCE / 32), HEADS, BATCH; LANES = 4 · ceil(VALUE_QUADS / 2)
override LANES: u32;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

const QUERIES = 32u;  // per workgroup
const KEYS = 32u;     // per block
const KEY_QUADS = KEYS / 4u;
const CELLS = QUERIES / 4u * KEY_QUADS;
const SCORE_PITCH = KEY_QUADS + 1u;  // one more, so that lanes on neighbouring queries hit other banks

// [query][key quad]: scores, then their exponentials.
var<workgroup> scores: array<vec4f, QUERIES * SCORE_PITCH>;
// Per query: largest score so far, sum of exponentials so far, and what this block scales older sums by.
var<workgroup> largest: array<f32, QUERIES>;
var<workgroup> total: array<f32, QUERIES>;
var<workgroup> rescale: array<f32, QUERIES>;

// Tokens past the end repeat the last: masked as keys, not stored as queries.
fn tokenOf(sequence: u32, token: u32) -> u32 {
  return sequence * SEQUENCE + min(token, SEQUENCE - 1u);
}

// First quad of a token's row of qkv.
fn rowOf(sequence: u32, token: u32) -> u32 {
  return tokenOf(sequence, token) * QKV_QUADS;
}

// Scores of one query against the keys from `key` on.
fn masked(products: vec4f, query: u32, key: u32) -> vec4f {
  return scoresOf(products, vec4u(query), vec4u(key) + vec4u(0u, 1u, 2u, 3u));
}

fn scoreCell(sequence: u32, q_quad: u32, k_quad: u32, first_query: u32, first_key: u32, cell: u32) {
  let query = cell / KEY_QUADS * 4u;
  let key_quad = cell % KEY_QUADS;
  let key = first_key + key_quad * 4u;
  let q0 = rowOf(sequence, first_query + query) + q_quad;
  let q1 = rowOf(sequence, first_query + query + 1u) + q_quad;
  let q2 = rowOf(sequence, first_query + query + 2u) + q_quad;
  let q3 = rowOf(sequence, first_query + query + 3u) + q_quad;
  let k0 = rowOf(sequence, key) + k_quad;
  let k1 = rowOf(sequence, key + 1u) + k_quad;
  let k2 = rowOf(sequence, key + 2u) + k_quad;
  let k3 = rowOf(sequence, key + 3u) + k_quad;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  for (var quad = 0u; quad < HEAD_QUADS; quad++) {
    let a0 = unpackQuad(qkv[q0 + quad]);
    let a1 = unpackQuad(qkv[q1 + quad]);
    let a2 = unpackQuad(qkv[q2 + quad]);
    let a3 = unpackQuad(qkv[q3 + quad]);
    let b0 = unpackQuad(qkv[k0 + quad]);
    let b1 = unpackQuad(qkv[k1 + quad]);
    let b2 = unpackQuad(qkv[k2 + quad]);
    let b3 = unpackQuad(qkv[k3 + quad]);
    s0 += vec4f(dot(a0, b0), dot(a0, b1), dot(a0, b2), dot(a0, b3));
    s1 += vec4f(dot(a1, b0), dot(a1, b1), dot(a1, b2), dot(a1, b3));
    s2 += vec4f(dot(a2, b0), dot(a2, b1), dot(a2, b2), dot(a2, b3));
    s3 += vec4f(dot(a3, b0), dot(a3, b1), dot(a3, b2), dot(a3, b3));
  }
  let slot = query * SCORE_PITCH + key_quad;
  scores[slot] = masked(s0, first_query + query, key);
  scores[slot + SCORE_PITCH] = masked(s1, first_query + query + 1u, key);
  scores[slot + 2u * SCORE_PITCH] = masked(s2, first_query + query + 2u, key);
  scores[slot + 3u * SCORE_PITCH] = masked(s3, first_query + query + 3u, key);
}

// Turns a query's scores of this block into exponentials and brings its running figures up to date.
fn softmaxRow(query: u32) {
  let slot = query * SCORE_PITCH;
  var block = scores[slot];
  for (var quad = 1u; quad < KEY_QUADS; quad++) {
    block = max(block, scores[slot + quad]);
  }
  let before = largest[query];
  let now = max(before, max(max(block.x, block.y), max(block.z, block.w)));
  var sums = vec4f();
  for (var quad = 0u; quad < KEY_QUADS; quad++) {
    let exponentials = exp2(scores[slot + quad] - now);
    scores[slot + quad] = exponentials;
    sums += exponentials;
  }
  let scale = exp2(before - now);
  largest[query] = now;
  total[query] = fma(total[query], scale, dot(sums, vec4f(1.0)));
  rescale[query] = scale;
}

// sum + four weights · four consecutive rows of v
fn multiplyAdd(sum: vec4f, p: vec4f, v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f) -> vec4f {
  return fma(vec4f(p.w), v3, fma(vec4f(p.z), v2, fma(vec4f(p.y), v1, fma(vec4f(p.x), v0, sum))));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_query = group.x * QUERIES;
  let head = group.y;
  let sequence = group.z;
  let kv_head = head / (HEADS / KV_HEADS);
  let q_quad = head * HEAD_QUADS;
  let k_quad = (HEADS + kv_head) * HEAD_QUADS;
  let v_quad = firstValueQuad(kv_head);

  // This lane's share of the output: 8 queries from `query` on, quads `quad` and `quad + 1` of the head.
  let query = lane % 4u * 8u;
  let quad = lane / 4u * 2u;
  let has_right = quad + 1u < VALUE_QUADS;
  let right_step = select(0u, 1u, has_right);
  let p = query * SCORE_PITCH;

  chooseHeads(vec4u(head));
  for (var i = lane; i < QUERIES; i += LANES) {
    largest[i] = firstLargest(head);
    total[i] = firstTotal();
  }

  var left0 = vec4f();
  var right0 = vec4f();
  var left1 = vec4f();
  var right1 = vec4f();
  var left2 = vec4f();
  var right2 = vec4f();
  var left3 = vec4f();
  var right3 = vec4f();
  var left4 = vec4f();
  var right4 = vec4f();
  var left5 = vec4f();
  var right5 = vec4f();
  var left6 = vec4f();
  var right6 = vec4f();
  var left7 = vec4f();
  var right7 = vec4f();

  let keys = endOfKeys(first_query + QUERIES - 1u);
  for (var first_key = firstKey(first_query); first_key < keys; first_key += KEYS) {
    for (var cell = lane; cell < CELLS; cell += LANES) {
      scoreCell(sequence, q_quad, k_quad, first_query, first_key, cell);
    }
    workgroupBarrier();

    for (var i = lane; i < QUERIES; i += LANES) {
      softmaxRow(i);
    }
    workgroupBarrier();

    let scale0 = rescale[query];
    left0 *= scale0;
    right0 *= scale0;
    let scale1 = rescale[query + 1u];
    left1 *= scale1;
    right1 *= scale1;
    let scale2 = rescale[query + 2u];
    left2 *= scale2;
    right2 *= scale2;
    let scale3 = rescale[query + 3u];
    left3 *= scale3;
    right3 *= scale3;
    let scale4 = rescale[query + 4u];
    left4 *= scale4;
    right4 *= scale4;
    let scale5 = rescale[query + 5u];
    left5 *= scale5;
    right5 *= scale5;
    let scale6 = rescale[query + 6u];
    left6 *= scale6;
    right6 *= scale6;
    let scale7 = rescale[query + 7u];
    left7 *= scale7;
    right7 *= scale7;
    for (var key_quad = 0u; key_quad < KEY_QUADS; key_quad++) {
      let key = first_key + key_quad * 4u;
      let token0 = tokenOf(sequence, key);
      let token1 = tokenOf(sequence, key + 1u);
      let token2 = tokenOf(sequence, key + 2u);
      let token3 = tokenOf(sequence, key + 3u);
      let a0 = valueQuad(token0, v_quad + quad);
      let a1 = valueQuad(token1, v_quad + quad);
      let a2 = valueQuad(token2, v_quad + quad);
      let a3 = valueQuad(token3, v_quad + quad);
      let b0 = valueQuad(token0, v_quad + quad + right_step);
      let b1 = valueQuad(token1, v_quad + quad + right_step);
      let b2 = valueQuad(token2, v_quad + quad + right_step);
      let b3 = valueQuad(token3, v_quad + quad + right_step);
      let p0 = scores[p + key_quad];
      left0 = multiplyAdd(left0, p0, a0, a1, a2, a3);
      right0 = multiplyAdd(right0, p0, b0, b1, b2, b3);
      let p1 = scores[p + SCORE_PITCH + key_quad];
      left1 = multiplyAdd(left1, p1, a0, a1, a2, a3);
      right1 = multiplyAdd(right1, p1, b0, b1, b2, b3);
      let p2 = scores[p + 2u * SCORE_PITCH + key_quad];
      left2 = multiplyAdd(left2, p2, a0, a1, a2, a3);
      right2 = multiplyAdd(right2, p2, b0, b1, b2, b3);
      let p3 = scores[p + 3u * SCORE_PITCH + key_quad];
      left3 = multiplyAdd(left3, p3, a0, a1, a2, a3);
      right3 = multiplyAdd(right3, p3, b0, b1, b2, b3);
      let p4 = scores[p + 4u * SCORE_PITCH + key_quad];
      left4 = multiplyAdd(left4, p4, a0, a1, a2, a3);
      right4 = multiplyAdd(right4, p4, b0, b1, b2, b3);
      let p5 = scores[p + 5u * SCORE_PITCH + key_quad];
      left5 = multiplyAdd(left5, p5, a0, a1, a2, a3);
      right5 = multiplyAdd(right5, p5, b0, b1, b2, b3);
      let p6 = scores[p + 6u * SCORE_PITCH + key_quad];
      left6 = multiplyAdd(left6, p6, a0, a1, a2, a3);
      right6 = multiplyAdd(right6, p6, b0, b1, b2, b3);
      let p7 = scores[p + 7u * SCORE_PITCH + key_quad];
      left7 = multiplyAdd(left7, p7, a0, a1, a2, a3);
      right7 = multiplyAdd(right7, p7, b0, b1, b2, b3);
    }
    // The next block overwrites the scores.
    workgroupBarrier();
  }

  var left = array(left0, left1, left2, left3, left4, left5, left6, left7);
  var right = array(right0, right1, right2, right3, right4, right5, right6, right7);
  let token = first_query + query;
  for (var i = 0u; i < 8u && token + i < SEQUENCE; i++) {
    let at = ((sequence * SEQUENCE + token + i) * HEADS + head) * VALUE_QUADS + quad;
    y[at] = packQuad(left[i] / total[query + i]);
    if (has_right) {
      y[at + 1u] = packQuad(right[i] / total[query + i]);
    }
  }
}
