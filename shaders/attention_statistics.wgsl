// attention_statistics: what the backward pass of attention needs of each query and head besides its operands: the
// logarithm of the sum of the exponentials of its scores, in units where exp is exp2, and the product of its result with
// the result's gradient.
//
// A workgroup takes 32 queries of one head and walks the keys in blocks of 32, as attention does; only the sums are kept.
//
// qkv         Quad [BATCH · SEQUENCE, QKV_QUADS]             of each token: q, then k, then v where it does not lie apart
// y           Quad [BATCH · SEQUENCE, HEADS · VALUE_QUADS]   what attention gave
// dy          Quad [BATCH · SEQUENCE, HEADS · VALUE_QUADS]   its gradient
// statistics  vec2f [BATCH · SEQUENCE, HEADS]
// dispatch    ceil(SEQUENCE / 32), HEADS, BATCH
override LANES: u32;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(1) var<storage, read> y: array<Quad>;
@group(0) @binding(4) var<storage, read> dy: array<Quad>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2f>;

const QUERIES = 32u;
const KEY_QUADS = 8u;
const CELLS = QUERIES / 4u * KEY_QUADS;
const PITCH = KEY_QUADS + 1u;

// [query][key quad]
var<workgroup> scores: array<vec4f, QUERIES * PITCH>;
var<workgroup> largest: array<f32, QUERIES>;
var<workgroup> total: array<f32, QUERIES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_query = group.x * QUERIES;
  let head = group.y;
  let sequence = group.z;
  let q_quad = head * HEAD_QUADS;
  let k_quad = (HEADS + head / (HEADS / KV_HEADS)) * HEAD_QUADS;
  chooseHeads(vec4u(head));
  for (var i = lane; i < QUERIES; i += LANES) {
    largest[i] = firstLargest(head);
    total[i] = firstTotal();
  }

  let keys = endOfKeys(first_query + QUERIES - 1u);
  for (var first_key = firstKey(first_query); first_key < keys; first_key += 4u * KEY_QUADS) {
    for (var cell = lane; cell < CELLS; cell += LANES) {
      let query = cell / KEY_QUADS * 4u;
      let key_quad = cell % KEY_QUADS;
      let key = first_key + 4u * key_quad;
      let products = productsOf(
        tokensOf(sequence, first_query + query) * QKV_QUADS + q_quad,
        tokensOf(sequence, key) * QKV_QUADS + k_quad,
      );
      for (var i = 0u; i < 4u; i++) {
        let own = vec4u(first_query + query + i);
        scores[(query + i) * PITCH + key_quad] =
          scoresOf(products[i], own, vec4u(key) + vec4u(0u, 1u, 2u, 3u));
      }
    }
    workgroupBarrier();
    for (var i = lane; i < QUERIES; i += LANES) {
      var most = scores[i * PITCH];
      for (var quad = 1u; quad < KEY_QUADS; quad++) {
        most = max(most, scores[i * PITCH + quad]);
      }
      let before = largest[i];
      let now = max(before, max(max(most.x, most.y), max(most.z, most.w)));
      var sums = vec4f();
      for (var quad = 0u; quad < KEY_QUADS; quad++) {
        sums += exp2(scores[i * PITCH + quad] - now);
      }
      largest[i] = now;
      total[i] = fma(total[i], exp2(before - now), dot(sums, vec4f(1.0)));
    }
    // The next block overwrites the scores.
    workgroupBarrier();
  }

  for (var i = lane; i < QUERIES; i += LANES) {
    if (first_query + i < SEQUENCE) {
      let at = tokenOf(sequence, first_query + i) * HEADS + head;
      var product = 0.0;
      for (var quad = 0u; quad < VALUE_QUADS; quad++) {
        product += dot(unpackQuad(y[at * VALUE_QUADS + quad]), unpackQuad(dy[at * VALUE_QUADS + quad]));
      }
      statistics[at] = vec2f(largest[i] + log2(total[i]), product);
    }
  }
}
