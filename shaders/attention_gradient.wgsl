// attention_gradient: gradients of queries, keys and values from that of attention's result, in one pass over pairs of
// blocks with recomputed scores (Dao et al., FlashAttention, 2022, algorithm 4), none of which leaves workgroup memory:
//
//   p = exp2(score - statistics.x), ds = p · (dy · v - statistics.y) · slope of the score
//   dq = Σ ds · k over keys, dk = Σ ds · q and dv = Σ p · dy over queries, of all heads that share them
//
// Workgroups of two kinds: the first QUERY_TILES along x take 32 queries of a head each and walk the keys, the others 32
// keys of a key and value head and walk the queries of its heads. So every gradient has one owner, who adds in one order.
// Per pair of blocks:
//   1. pairs    cells of 4 queries × 4 keys, dealt to the lanes: p and ds
//   2. sums     each lane owns 4 rows × 2 quads of the head and holds their sums in registers
//
// Where keys and values lie, and where queries and keys stand, says attention/whole_sequences.wgsl or attention/blocks.wgsl;
// where gradients go, attention/gradients_of_sequences.wgsl or attention/gradients_of_block.wgsl.
//
// qkv         Quad [BATCH · ROWS, QKV_QUADS]             of each token: q, then k, then v where they do not lie apart
// dy          Quad [BATCH · ROWS, HEADS · VALUE_QUADS]
// statistics  vec2f [BATCH · ROWS, HEADS]                of attention_statistics
// dispatch    QUERY_TILES + ceil(ROWS / 32), HEADS, BATCH; LANES = 8 · ceil(max(HEAD_QUADS, VALUE_QUADS) / 2)
override LANES: u32;
override QUERY_TILES: u32 = (ROWS + 31u) / 32u;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(4) var<storage, read> dy: array<Quad>;
@group(0) @binding(5) var<storage, read> statistics: array<vec2f>;

const BLOCK = 32u;
const QUADS = BLOCK / 4u;
const CELLS = QUADS * QUADS;
const PITCH = QUADS + 1u;

// Of the walk's side one by one, of the workgroup's own in quads: [BLOCK][QUADS].
var<workgroup> weights: array<vec4f, BLOCK * PITCH>;
var<workgroup> ds_tile: array<vec4f, BLOCK * PITCH>;

// Columns are queries, their elements keys.
struct Pairs {
  p: mat4x4f,
  ds: mat4x4f,
}

// Products of gradients of four queries' results with four keys' values.
fn valueProductsOf(queries: vec4u, keys: vec4u, head: u32, kv_head: u32) -> mat4x4f {
  let first = firstValueQuad(kv_head);
  let start = (queries * HEADS + head) * VALUE_QUADS;
  var products = mat4x4f();
  for (var quad = 0u; quad < VALUE_QUADS; quad++) {
    let values = mat4x4f(
      valueQuad(keys.x, first + quad),
      valueQuad(keys.y, first + quad),
      valueQuad(keys.z, first + quad),
      valueQuad(keys.w, first + quad),
    );
    products[0] += unpackQuad(dy[start.x + quad]) * values;
    products[1] += unpackQuad(dy[start.y + quad]) * values;
    products[2] += unpackQuad(dy[start.z + quad]) * values;
    products[3] += unpackQuad(dy[start.w + quad]) * values;
  }
  return products;
}

fn pairsOf(sequence: u32, query: u32, key: u32, head: u32, kv_head: u32) -> Pairs {
  let queries = tokensOf(sequence, query);
  let keys = tokensOf(sequence, key);
  let products = productsOf(
    queries * QKV_QUADS + head * HEAD_QUADS,
    keyStarts(keys, kv_head),
  );
  let value_products = valueProductsOf(queries, keys, head, kv_head);
  let positions = queryPositions(vec4u(query) + vec4u(0u, 1u, 2u, 3u));
  let key_positions = keyPositions(vec4u(key) + vec4u(0u, 1u, 2u, 3u));
  var pairs: Pairs;
  for (var i = 0u; i < 4u; i++) {
    let own = statistics[queries[i] * HEADS + head];
    let scores = scoresOf(products[i], vec4u(positions[i]), key_positions);
    // Rounding may leave a score above the logarithm of the sum that it is part of.
    let p = exp2(min(scores - own.x, vec4f())) * f32(query + i < ROWS);
    pairs.p[i] = p;
    pairs.ds[i] = p * (value_products[i] - own.y) * scoreSlopes(products[i]);
  }
  return pairs;
}

// Four rows of one quad, a column of the matrix each.
fn outer(quad: vec4f, rows: vec4f) -> mat4x4f {
  return mat4x4f(quad * rows.x, quad * rows.y, quad * rows.z, quad * rows.w);
}

fn storeGradient(of_queries: bool, token: u32, head: u32, quad: u32, sum: vec4f) {
  if (of_queries) {
    storeQueryGradient(token, head, quad, sum);
  } else {
    storeKeyGradient(token, head, quad, sum);
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = group.z;
  let of_queries = group.x < QUERY_TILES;
  if (!of_queries && group.y >= KV_HEADS) {
    return;
  }
  // The heads that are walked, and the blocks of keys, or of queries.
  let shared_by = HEADS / KV_HEADS;
  let kv_head = select(group.y, group.y / shared_by, of_queries);
  let first_head = select(kv_head * shared_by, group.y, of_queries);
  let heads = select(shared_by, 1u, of_queries);
  let own = select(group.x - QUERY_TILES, group.x, of_queries) * BLOCK;
  let last = min(own + BLOCK, ROWS) - 1u;
  let others = select(queryRows(own, last), keyRows(own, last), of_queries);

  // This lane's share: four rows from 4 · `own_rows` on, and two quads of the head.
  let own_rows = lane % QUADS;
  let quad = lane / QUADS * 2u;
  let right = min(quad + 1u, HEAD_QUADS - 1u);
  let right_value = min(quad + 1u, VALUE_QUADS - 1u);
  var left_sum = mat4x4f();
  var right_sum = mat4x4f();
  var left_value_sum = mat4x4f();
  var right_value_sum = mat4x4f();
  for (var head = first_head; head < first_head + heads; head++) {
    chooseHeads(vec4u(head));
    for (var other = others.x; other < others.y; other += BLOCK) {
      let query = select(other, own, of_queries);
      let key = select(own, other, of_queries);
      let walked = vec2u(other, min(other + BLOCK, ROWS) - 1u);
      let owned = vec2u(own, last);
      if (!blocksMeet(select(walked, owned, of_queries), select(owned, walked, of_queries))) {
        continue;
      }
      for (var cell = lane; cell < CELLS; cell += LANES) {
        let rows = cell / QUADS;
        let columns = cell % QUADS;
        var pairs = pairsOf(sequence, query + 4u * rows, key + 4u * columns, head, kv_head);
        if (of_queries) {
          pairs.ds = transpose(pairs.ds);
        }
        let walked = 4u * select(rows, columns, of_queries);
        let at = select(columns, rows, of_queries);
        for (var i = 0u; i < 4u; i++) {
          weights[(walked + i) * PITCH + at] = pairs.p[i];
          ds_tile[(walked + i) * PITCH + at] = pairs.ds[i];
        }
      }
      workgroupBarrier();
      // A bound that varies: else compilers would write the loop out, which takes them long.
      let rows = min(BLOCK, others.y - other);
      for (var i = 0u; i < rows; i++) {
        let token = tokenOf(sequence, other + i);
        if (quad < HEAD_QUADS) {
          let ds = ds_tile[i * PITCH + own_rows];
          left_sum += outer(walkedQuad(of_queries, token, head, kv_head, quad), ds);
          right_sum += outer(walkedQuad(of_queries, token, head, kv_head, right), ds);
        }
        if (!of_queries && quad < VALUE_QUADS) {
          let at = (token * HEADS + head) * VALUE_QUADS;
          let p = weights[i * PITCH + own_rows];
          left_value_sum += outer(unpackQuad(dy[at + quad]), p);
          right_value_sum += outer(unpackQuad(dy[at + right_value]), p);
        }
      }
      // The next pair of blocks overwrites them.
      workgroupBarrier();
    }
  }

  for (var i = 0u; i < 4u && own + 4u * own_rows + i < ROWS; i++) {
    let token = tokenOf(sequence, own + 4u * own_rows + i);
    if (quad < HEAD_QUADS) {
      storeGradient(of_queries, token, group.y, quad, left_sum[i]);
      if (right > quad) {
        storeGradient(of_queries, token, group.y, right, right_sum[i]);
      }
    }
    if (!of_queries && quad < VALUE_QUADS) {
      storeValueGradient(token, kv_head, quad, left_value_sum[i]);
      if (right_value > quad) {
        storeValueGradient(token, kv_head, right_value, right_value_sum[i]);
      }
    }
  }
}
