// attend_cache_subgroup: attention of a few new tokens against a piece of 64 cached keys, as attend_cache, for adapters
// with small subgroups, where loads are dear and barriers dearer. A workgroup is one subgroup.
//
// A subgroup takes ROWS rows, which are query heads that share a key head. Its lanes lie along the head, so that they
// load what lies next to each other, and take four keys at a time.
//   1. scores   each lane multiplies its units of four keys; the subgroup adds up
//   2. softmax  four keys to a lane
//   3. output   each lane sums four of its units of the value over all keys
//
// q         Quad [BATCH · QUERIES, Q_QUADS]   of which the queries come first
// spans     vec2u [BATCH]   tokens cached before, and new ones: 0 … QUERIES; rows past these are padding
// pages     u32 [BATCH, PAGES]   a request's tokens lie in these, PAGE_TOKENS in each
// cache     Word [pages · PAGE_TOKENS, CACHE_COLUMNS / UNIT]   keys of all heads, then their values, or of latent attention,
//                                                              where FIRST_VALUE is 0, keys that begin with their values
// partials  Unit [BATCH · QUERIES · HEADS, PIECES, (VALUE_DIM + 4) / UNIT]   as attend_cache leaves them
// dispatch  PIECES, heads of the cache · ceil(QUERIES · HEADS / KV_HEADS / ROWS), BATCH
override QUERIES: u32;
override PAGE_TOKENS: u32;
override PAGES: u32;
override Q_QUADS: u32;
override CACHE_COLUMNS: u32;
override FIRST_VALUE: u32;  // of a row's columns
override ROWS: u32;         // 1 or 4
override FIRST_KEY_HEAD: u32 = 0u;  // of the key heads that the cache holds
override GROUP_HEADS: u32 = HEADS / KV_HEADS;
override ROW_GROUPS: u32 = (QUERIES * GROUP_HEADS + ROWS - 1u) / ROWS;
override PIECES: u32 = (PAGE_TOKENS * PAGES + KEYS - 1u) / KEYS;
override HEAD_UNITS: u32 = HEAD_DIM / UNIT;
override VALUE_UNITS: u32 = VALUE_DIM / UNIT;
override QUERY_UNITS: u32 = ROWS * HEAD_UNITS;

@group(0) @binding(0) var<storage, read> q: array<Quad>;
@group(0) @binding(1) var<storage, read> spans: array<vec2u>;
@group(0) @binding(2) var<storage, read> pages: array<u32>;
@group(0) @binding(3) var<storage, read> cache: array<Word>;
@group(0) @binding(4) var<storage, read_write> partials: array<Unit>;

const KEYS = 64u;  // of a piece

// [row, unit]
var<workgroup> queries: array<Unit, QUERY_UNITS>;
// Where the piece's tokens begin in the cache; past the last token the last.
var<workgroup> places: array<u32, KEYS>;
// [row, key]: products, then scores, then their exponentials.
var<workgroup> weights: array<f32, 4u * KEYS>;

// The place of row `row` of those that share key head `kv_head` among the heads of all tokens.
fn queryHead(sequence: u32, kv_head: u32, row: u32) -> u32 {
  let real = min(row, QUERIES * GROUP_HEADS - 1u);
  let query = sequence * QUERIES + real / GROUP_HEADS;
  return query * HEADS + (FIRST_KEY_HEAD + kv_head) * GROUP_HEADS + real % GROUP_HEADS;
}

fn findPlaces(sequence: u32, first: u32, last: u32, lane: u32) {
  for (var i = lane; i < KEYS; i += LANES) {
    let token = min(first + i, last);
    let page = pages[sequence * PAGES + token / PAGE_TOKENS];
    places[i] = (page * PAGE_TOKENS + token % PAGE_TOKENS) * (CACHE_COLUMNS / UNIT);
  }
}

fn loadQuery(row: u32, query_head: u32, lane: u32) {
  let first = query_head / HEADS * Q_QUADS + query_head % HEADS * (HEAD_DIM / 4u);
  for (var quad = lane; quad < HEAD_DIM / 4u; quad += LANES) {
    let loaded = unpackQuad(q[first + quad]);
    for (var i = 0u; i < 4u / UNIT; i++) {
      queries[row * HEAD_UNITS + quad * (4u / UNIT) + i] = unitOf(loaded, i);
    }
  }
}

// The same unit of four tokens.
fn unitsOf(starts: vec4u, unit: u32) -> Units {
  return Units(
    unpackWord(cache[starts.x + unit]),
    unpackWord(cache[starts.y + unit]),
    unpackWord(cache[starts.z + unit]),
    unpackWord(cache[starts.w + unit]),
  );
}

// Products of all rows with four keys.
fn multiply(key: u32, first_unit: u32, lane: u32) {
  let starts = first_unit + vec4u(places[key], places[key + 1u], places[key + 2u], places[key + 3u]);
  var sums0 = vec4f();
  var sums1 = vec4f();
  var sums2 = vec4f();
  var sums3 = vec4f();
  for (var unit = lane; unit < HEAD_UNITS; unit += LANES) {
    let keys = unitsOf(starts, unit);
    sums0 += queries[unit] * keys;
    if (ROWS > 1u) {
      sums1 += queries[HEAD_UNITS + unit] * keys;
      sums2 += queries[2u * HEAD_UNITS + unit] * keys;
      sums3 += queries[3u * HEAD_UNITS + unit] * keys;
    }
  }
  storeProducts(key, sumOfLanes(sums0), lane);
  if (ROWS > 1u) {
    storeProducts(KEYS + key, sumOfLanes(sums1), lane);
    storeProducts(2u * KEYS + key, sumOfLanes(sums2), lane);
    storeProducts(3u * KEYS + key, sumOfLanes(sums3), lane);
  }
}

fn storeProducts(at: u32, products: vec4f, lane: u32) {
  if (lane < 4u) {
    weights[at + lane] = products[lane];
  }
}

fn weightsAt(at: u32) -> vec4f {
  return vec4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

fn storeWeights(at: u32, values: vec4f) {
  weights[at] = values.x;
  weights[at + 1u] = values.y;
  weights[at + 2u] = values.z;
  weights[at + 3u] = values.w;
}

// Products of `row` with `keys` keys from `first_key` on become exponentials. Their largest score and their sum.
fn softmax(row: u32, query: u32, head: u32, first_key: u32, keys: u32, lane: u32) -> vec2f {
  chooseHeads(vec4u(head));
  var own_largest = vec4f(LOWEST);
  for (var i = 4u * lane; i < keys; i += 4u * LANES) {
    let scores = scoresOf(
      weightsAt(row * KEYS + i),
      vec4u(query),
      first_key + i + vec4u(0u, 1u, 2u, 3u),
    );
    storeWeights(row * KEYS + i, scores);
    own_largest = max(own_largest, scores);
  }
  let halves = max(own_largest.xy, own_largest.zw);
  let largest = subgroupMax(max(halves.x, halves.y));
  var own_total = vec4f();
  for (var i = 4u * lane; i < keys; i += 4u * LANES) {
    let exponentials = exp2(weightsAt(row * KEYS + i) - largest);
    storeWeights(row * KEYS + i, exponentials);
    own_total += exponentials;
  }
  return vec2f(largest, subgroupAdd(dot(own_total, vec4f(1.0))));
}

// Four units of every row's output, LANES apart.
fn weigh(keys: u32, first_value: u32, first: u32, rows: u32, row_starts: vec4u) {
  let own = min(first + vec4u(0u, 1u, 2u, 3u) * LANES, vec4u(VALUE_UNITS - 1u));
  var sums0 = Units();
  var sums1 = Units();
  var sums2 = Units();
  var sums3 = Units();
  for (var i = 0u; i < keys; i++) {
    let values = unitsOf(own, places[i] + first_value);
    sums0 += values * weights[i];
    if (ROWS > 1u) {
      sums1 += values * weights[KEYS + i];
      sums2 += values * weights[2u * KEYS + i];
      sums3 += values * weights[3u * KEYS + i];
    }
  }
  var sums = array(sums0, sums1, sums2, sums3);
  for (var row = 0u; row < rows; row++) {
    for (var i = 0u; i < 4u; i++) {
      let unit = first + i * LANES;
      if (unit < VALUE_UNITS) {
        partials[row_starts[row] + unit] = sums[row][i];
      }
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let piece = group.x;
  let kv_head = group.y / ROW_GROUPS;
  let first_row = group.y % ROW_GROUPS * ROWS;
  let sequence = group.z;
  let span = spans[sequence];
  let length = span.x + span.y;
  let first_key = piece * KEYS;
  let first_query = first_row / GROUP_HEADS;
  let last_query = min((first_row + ROWS - 1u) / GROUP_HEADS, QUERIES - 1u);
  // The same for the whole workgroup, so that all or none of it reaches the barriers.
  if (
    first_query >= span.y || first_key >= min(length, span.x + last_query + 1u) ||
    first_key + KEYS <= firstKey(span.x + first_query)
  ) {
    return;
  }

  findPlaces(sequence, first_key, length - 1u, lane);
  for (var row = 0u; row < ROWS; row++) {
    loadQuery(row, queryHead(sequence, kv_head, first_row + row), lane);
  }
  workgroupBarrier();

  let keys = min(KEYS, length - first_key);
  for (var key = 0u; key < keys; key += 4u) {
    multiply(key, kv_head * HEAD_UNITS, lane);
  }
  workgroupBarrier();

  let rows = min(ROWS, QUERIES * GROUP_HEADS - first_row);
  var row_starts = vec4u();
  for (var row = 0u; row < rows; row++) {
    let query = span.x + (first_row + row) / GROUP_HEADS;
    let head = (FIRST_KEY_HEAD + kv_head) * GROUP_HEADS + (first_row + row) % GROUP_HEADS;
    let found = softmax(row, query, head, first_key, keys, lane);
    let place = queryHead(sequence, kv_head, first_row + row) * PIECES + piece;
    row_starts[row] = place * (VALUE_UNITS + 4u / UNIT);
    if (lane < 4u / UNIT) {
      partials[row_starts[row] + VALUE_UNITS + lane] = unitOf(vec4f(found, 0.0, 0.0), lane);
    }
  }
  workgroupBarrier();

  let first_value = FIRST_VALUE / UNIT + kv_head * VALUE_UNITS;
  for (var first = 0u; first < VALUE_UNITS; first += 4u * LANES) {
    weigh(keys, first_value, first + lane, rows, row_starts);
  }
}
