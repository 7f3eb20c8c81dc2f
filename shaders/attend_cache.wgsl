// attend_cache: attention of a few new tokens against a piece of 64 cached keys: per query and head
// Σ exp2(score - largest) · v, the largest score and Σ exp2(score - largest), for combine_attention to join.
//
// A workgroup takes up to ROWS rows, which are the query heads that share a key head, for every new token: so
// each key and value is loaded once for all of them.
//   1. scores   one key per lane
//   2. softmax  eight lanes per row
//   3. output   lanes are dealt to quads of the value and shares of the keys; the shares are added at the end
//
// A new token sees itself and earlier ones, as attention/keys_seen.wgsl says, and is cached already. What rows of padding
// see is of no use to anybody.
//
// q         Quad [BATCH · QUERIES, Q_QUADS]   of which the queries come first
// spans     vec2u [BATCH]   tokens cached before, and new ones: 0 … QUERIES; rows past these are padding
// pages     u32 [BATCH, PAGES]   a request's tokens lie in these, PAGE_TOKENS in each
// cache     CacheQuad [pages · PAGE_TOKENS, CACHE_QUADS]   keys of its heads, then their values, or of latent attention,
//                                                          where FIRST_VALUE is 0, keys that begin with their values
// partials  vec4f [BATCH · QUERIES · HEADS, PIECES, VALUE_QUADS + 1]   sums, then (largest, total, 0, 0); pieces in which
//                                                                      a query sees no key are left as they were
// dispatch  PIECES, heads of the cache · ceil(QUERIES · HEADS / KV_HEADS / ROWS), BATCH
override QUERIES: u32;
override PAGE_TOKENS: u32;
override PAGES: u32;
override Q_QUADS: u32;
override CACHE_QUADS: u32;
override FIRST_VALUE: u32;  // of a row's quads
override FIRST_KEY_HEAD: u32 = 0u;  // of the key heads that the cache holds
override ROWS: u32;         // 1, 4 or 8
override SHARE_LANES: u32;  // as the value has quads, rounded up to a power of two, at most 64
override GROUP_HEADS: u32 = HEADS / KV_HEADS;
override ROW_GROUPS: u32 = (QUERIES * GROUP_HEADS + ROWS - 1u) / ROWS;
override PIECES: u32 = (PAGE_TOKENS * PAGES + KEYS - 1u) / KEYS;

@group(0) @binding(0) var<storage, read> q: array<Quad>;
@group(0) @binding(1) var<storage, read> spans: array<vec2u>;
@group(0) @binding(2) var<storage, read> pages: array<u32>;
@group(0) @binding(3) var<storage, read> cache: array<CacheQuad>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;

const KEYS = 64u;   // of a piece, and lanes of a workgroup
const PARTS = 8u;   // lanes that share a row in the softmax
const PART_QUADS = KEYS / PARTS / 4u;

// [row][key quad]: scores, then their exponentials. Scores are written one at a time, hence as scalars.
var<workgroup> weights: array<f32, 8u * KEYS>;
var<workgroup> largest: array<f32, 8u * PARTS>;
var<workgroup> totals: array<f32, 8u * PARTS>;
// [row][lane]: a lane's share of the output.
var<workgroup> shares: array<vec4f, 8u * KEYS>;

// Where row `row` of the rows that share key head `kv_head` finds its query, and its place among all.
fn queryHead(sequence: u32, kv_head: u32, row: u32) -> u32 {
  let real = min(row, QUERIES * GROUP_HEADS - 1u);
  let query = sequence * QUERIES + real / GROUP_HEADS;
  return query * HEADS + (FIRST_KEY_HEAD + kv_head) * GROUP_HEADS + real % GROUP_HEADS;
}

fn weightsOf(row: u32, quad: u32) -> vec4f {
  let at = row * KEYS + quad * 4u;
  return vec4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

fn largestOf(four: vec4f) -> f32 {
  return max(max(four.x, four.y), max(four.z, four.w));
}

fn product(query_head: u32, quad: u32, key: vec4f) -> f32 {
  let at = query_head / HEADS * Q_QUADS + query_head % HEADS * HEAD_QUADS + quad;
  return dot(unpackQuad(q[at]), key);
}

// Where a request's token lies in the caches.
fn placeOf(sequence: u32, token: u32) -> u32 {
  return pages[sequence * PAGES + token / PAGE_TOKENS] * PAGE_TOKENS + token % PAGE_TOKENS;
}

// Scores of four of the rows that share a key head, the first of them number `slot` of the workgroup's.
fn storeScores(
  products: vec4f,
  lane: u32,
  slot: u32,
  cached: u32,
  kv_head: u32,
  rows: vec4u,
  key: u32,
) {
  chooseHeads((FIRST_KEY_HEAD + kv_head) * GROUP_HEADS + rows % GROUP_HEADS);
  let scores = scoresOf(products, cached + rows / GROUP_HEADS, vec4u(key));
  for (var i = 0u; i < min(4u, ROWS); i++) {
    weights[(slot + i) * KEYS + lane] = scores[i];
  }
}

// What a lane's share of the piece's keys adds to one quad of every row's output. As many lanes take a share as it has
// keys.
fn sumShare(sequence: u32, kv_head: u32, first_key: u32, keys_left: u32, quad: u32, lane: u32) {
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  let share = lane / SHARE_LANES * SHARE_LANES;
  for (var i = share; i < min(share + SHARE_LANES, keys_left); i++) {
    let place = placeOf(sequence, first_key + i) * CACHE_QUADS + FIRST_VALUE;
    let value = unpackCache(cache[place + kv_head * VALUE_QUADS + quad]);
    sum0 = fma(vec4f(weights[i]), value, sum0);
    if (ROWS > 1u) {
      sum1 = fma(vec4f(weights[KEYS + i]), value, sum1);
      sum2 = fma(vec4f(weights[2u * KEYS + i]), value, sum2);
      sum3 = fma(vec4f(weights[3u * KEYS + i]), value, sum3);
    }
    if (ROWS > 4u) {
      sum4 = fma(vec4f(weights[4u * KEYS + i]), value, sum4);
      sum5 = fma(vec4f(weights[5u * KEYS + i]), value, sum5);
      sum6 = fma(vec4f(weights[6u * KEYS + i]), value, sum6);
      sum7 = fma(vec4f(weights[7u * KEYS + i]), value, sum7);
    }
  }
  shares[lane] = sum0;
  if (ROWS > 1u) {
    shares[KEYS + lane] = sum1;
    shares[2u * KEYS + lane] = sum2;
    shares[3u * KEYS + lane] = sum3;
  }
  if (ROWS > 4u) {
    shares[4u * KEYS + lane] = sum4;
    shares[5u * KEYS + lane] = sum5;
    shares[6u * KEYS + lane] = sum6;
    shares[7u * KEYS + lane] = sum7;
  }
}

@compute @workgroup_size(KEYS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let piece = group.x;
  let kv_head = group.y / ROW_GROUPS;
  let first_row = group.y % ROW_GROUPS * ROWS;
  let sequence = group.z;
  let span = spans[sequence];
  let length = span.x + span.y;
  let key = piece * KEYS + lane;
  let first_query = first_row / GROUP_HEADS;
  let last_query = min((first_row + ROWS - 1u) / GROUP_HEADS, QUERIES - 1u);
  // The same for the whole workgroup, so that all or none of it reaches the barriers.
  if (
    first_query >= span.y || piece * KEYS >= min(length, span.x + last_query + 1u) ||
    (piece + 1u) * KEYS <= firstKey(span.x + first_query)
  ) {
    return;
  }

  // Four rows to a vector.
  var upper = vec4f();
  var lower = vec4f();
  let row0 = queryHead(sequence, kv_head, first_row);
  let row1 = queryHead(sequence, kv_head, first_row + 1u);
  let row2 = queryHead(sequence, kv_head, first_row + 2u);
  let row3 = queryHead(sequence, kv_head, first_row + 3u);
  let row4 = queryHead(sequence, kv_head, first_row + 4u);
  let row5 = queryHead(sequence, kv_head, first_row + 5u);
  let row6 = queryHead(sequence, kv_head, first_row + 6u);
  let row7 = queryHead(sequence, kv_head, first_row + 7u);
  let cached = placeOf(sequence, min(key, length - 1u)) * CACHE_QUADS + kv_head * HEAD_QUADS;
  for (var quad = 0u; quad < HEAD_QUADS; quad++) {
    let own = unpackCache(cache[cached + quad]);
    upper.x += product(row0, quad, own);
    if (ROWS > 1u) {
      upper.y += product(row1, quad, own);
      upper.z += product(row2, quad, own);
      upper.w += product(row3, quad, own);
    }
    if (ROWS > 4u) {
      lower.x += product(row4, quad, own);
      lower.y += product(row5, quad, own);
      lower.z += product(row6, quad, own);
      lower.w += product(row7, quad, own);
    }
  }
  let rows = first_row + vec4u(0u, 1u, 2u, 3u);
  storeScores(upper, lane, 0u, span.x, kv_head, rows, key);
  if (ROWS > 4u) {
    storeScores(lower, lane, 4u, span.x, kv_head, rows + 4u, key);
  }
  workgroupBarrier();

  // Lanes of rows beyond ROWS work on what nobody reads.
  let row = lane / PARTS;
  let part = lane % PARTS * PART_QUADS;
  let left = weightsOf(row, part);
  let right = weightsOf(row, part + 1u);
  largest[lane] = largestOf(max(left, right));
  workgroupBarrier();

  var row_largest = largest[row * PARTS];
  for (var i = 1u; i < PARTS; i++) {
    row_largest = max(row_largest, largest[row * PARTS + i]);
  }
  let left_weights = exp2(left - row_largest);
  let right_weights = exp2(right - row_largest);
  let at = row * KEYS + part * 4u;
  for (var i = 0u; i < 4u; i++) {
    weights[at + i] = left_weights[i];
    weights[at + 4u + i] = right_weights[i];
  }
  totals[lane] = dot(left_weights + right_weights, vec4f(1.0));
  workgroupBarrier();

  let real_rows = min(ROWS, QUERIES * GROUP_HEADS - first_row);
  for (var first = 0u; first < VALUE_QUADS; first += SHARE_LANES) {
    let quad = min(first + lane % SHARE_LANES, VALUE_QUADS - 1u);
    sumShare(sequence, kv_head, piece * KEYS, length - piece * KEYS, quad, lane);
    workgroupBarrier();
    let quads = min(SHARE_LANES, VALUE_QUADS - first);
    for (var i = lane; i < real_rows * quads; i += KEYS) {
      var result = vec4f();
      for (var other = i % quads; other < KEYS; other += SHARE_LANES) {
        result += shares[i / quads * KEYS + other];
      }
      let place = queryHead(sequence, kv_head, first_row + i / quads) * PIECES + piece;
      partials[place * (VALUE_QUADS + 1u) + first + i % quads] = result;
    }
    workgroupBarrier();
  }
  if (lane < real_rows) {
    var result = vec4f(LOWEST, 0.0, 0.0, 0.0);
    for (var other = 0u; other < PARTS; other++) {
      result.x = max(result.x, largest[lane * PARTS + other]);
      result.y += totals[lane * PARTS + other];
    }
    let place = queryHead(sequence, kv_head, first_row + lane) * PIECES + piece;
    partials[place * (VALUE_QUADS + 1u) + VALUE_QUADS] = result;
  }
}
