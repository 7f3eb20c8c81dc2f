// attention_subgroup: y = softmax(scores of q and k) · v, as attention, for adapters with small subgroups,
// where loads are dear and barriers dearer. A workgroup is one subgroup; nothing is shared but by shuffles.
//
// A subgroup takes TILE_ROWS queries of one head and walks the keys in blocks of LANE_KEYS · LANES. Per block:
//   1. scores   each lane scores its own keys: it loads a quad of each, and of every LANES-th query, which
//               the subgroup hands round
//   2. softmax  scores become exp2(score - largest so far)
//   3. output   each lane sums its own columns of v over all keys; the probabilities are handed round
// The arithmetic is in 4 × 4 matrices: four queries by four keys, or by the four numbers of a quad.
//
// Query head h attends with key and value head h / (HEADS / KV_HEADS). What a query sees, and what its scores are, say
// attention/keys_seen.wgsl and attention/scores.wgsl; blocks that no query of the subgroup sees are skipped. LANES, and how
// quads are handed round, say attention/lanes.wgsl.
//
// qkv       Quad [BATCH · SEQUENCE, QKV_QUADS]   of each token: q, then k, then v where it does not lie apart
// y         Quad [BATCH · SEQUENCE, HEADS · VALUE_QUADS]
// dispatch  ceil(SEQUENCE / TILE_ROWS) · ceil(VALUE_QUADS / (LANES · COLUMNS)), HEADS, BATCH
override TILE_ROWS: u32;  // 4, 8 or 16
override LANE_KEYS: u32;  // 1, 2, 4 or 8
override COLUMNS: u32;    // quads of the head that a lane sums: 1, 2, 4 or 8
override COLUMN_GROUPS: u32 = (VALUE_QUADS + LANES * COLUMNS - 1u) / (LANES * COLUMNS);

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

// Something of 16 queries, four to a matrix.
struct Rows {
  a: mat4x4f,
  b: mat4x4f,
  c: mat4x4f,
  d: mat4x4f,
}

// The softmax of four queries: their scores against the lane's keys of this block, later exponentials of
// them; the largest score so far; and this lane's share of the sum of exponentials.
struct Softmax {
  keys0: vec4f,
  keys1: vec4f,
  keys2: vec4f,
  keys3: vec4f,
  keys4: vec4f,
  keys5: vec4f,
  keys6: vec4f,
  keys7: vec4f,
  largest: vec4f,
  total: vec4f,
}

fn largestOfLanes(own: vec4f) -> vec4f {
  let two = max(own, quadSwapX(own));
  var all = max(two, quadSwapY(two));
  if (LANES == 8u) {
    all = max(all, subgroupShuffleXor(all, 4u));
  }
  return all;
}

// A quad of a token's row of qkv. Tokens past the end repeat the last: masked as keys, not stored as queries.
fn load(first_token: u32, token: u32, quad: u32) -> vec4f {
  return unpackQuad(qkv[(first_token + min(token, SEQUENCE - 1u)) * QKV_QUADS + quad]);
}

// A quad of the queries from `query` on, in every lane.
fn queries(first_token: u32, query: u32, quad: u32, lane: u32) -> Rows {
  var rows: Rows;
  if (LANES == 8u) {
    let upper = load(first_token, query + lane, quad);
    rows.a = firstFour(upper);
    if (TILE_ROWS > 4u) {
      rows.b = secondFour(upper);
    }
    if (TILE_ROWS > 8u) {
      let lower = load(first_token, query + lane + 8u, quad);
      rows.c = firstFour(lower);
      rows.d = secondFour(lower);
    }
  } else {
    rows.a = firstFour(load(first_token, query + lane, quad));
    if (TILE_ROWS > 4u) {
      rows.b = firstFour(load(first_token, query + lane + 4u, quad));
    }
    if (TILE_ROWS > 8u) {
      rows.c = firstFour(load(first_token, query + lane + 8u, quad));
      rows.d = firstFour(load(first_token, query + lane + 12u, quad));
    }
  }
  return rows;
}

// A quad of each of the lane's keys.
struct Keys {
  k0: vec4f,
  k1: vec4f,
  k2: vec4f,
  k3: vec4f,
  k4: vec4f,
  k5: vec4f,
  k6: vec4f,
  k7: vec4f,
}

fn keyQuads(first_token: u32, key: u32, quad: u32) -> Keys {
  var keys: Keys;
  keys.k0 = load(first_token, key, quad);
  if (LANE_KEYS > 1u) {
    keys.k1 = load(first_token, key + LANES, quad);
  }
  if (LANE_KEYS > 2u) {
    keys.k2 = load(first_token, key + 2u * LANES, quad);
    keys.k3 = load(first_token, key + 3u * LANES, quad);
  }
  if (LANE_KEYS > 4u) {
    keys.k4 = load(first_token, key + 4u * LANES, quad);
    keys.k5 = load(first_token, key + 5u * LANES, quad);
    keys.k6 = load(first_token, key + 6u * LANES, quad);
    keys.k7 = load(first_token, key + 7u * LANES, quad);
  }
  return keys;
}

// Adds what a quad of the head brings to the scores: a quad of four queries, and of the lane's keys.
fn addScores(four: ptr<function, Softmax>, q: mat4x4f, k: Keys) {
  (*four).keys0 += k.k0 * q;
  if (LANE_KEYS > 1u) {
    (*four).keys1 += k.k1 * q;
  }
  if (LANE_KEYS > 2u) {
    (*four).keys2 += k.k2 * q;
    (*four).keys3 += k.k3 * q;
  }
  if (LANE_KEYS > 4u) {
    (*four).keys4 += k.k4 * q;
    (*four).keys5 += k.k5 * q;
    (*four).keys6 += k.k6 * q;
    (*four).keys7 += k.k7 * q;
  }
}

// Scores of four queries against one key.
fn masked(scores: vec4f, query: u32, key: u32) -> vec4f {
  return scoresOf(scores, query + vec4u(0u, 1u, 2u, 3u), vec4u(key));
}

// Turns scores into exponentials; returns what older sums of the four queries are to be scaled by.
fn exponentials(four: ptr<function, Softmax>, query: u32, key: u32) -> vec4f {
  let before = (*four).largest;
  (*four).keys0 = masked((*four).keys0, query, key);
  var own = max(before, (*four).keys0);
  if (LANE_KEYS > 1u) {
    (*four).keys1 = masked((*four).keys1, query, key + LANES);
    own = max(own, (*four).keys1);
  }
  if (LANE_KEYS > 2u) {
    (*four).keys2 = masked((*four).keys2, query, key + 2u * LANES);
    (*four).keys3 = masked((*four).keys3, query, key + 3u * LANES);
    own = max(own, max((*four).keys2, (*four).keys3));
  }
  if (LANE_KEYS > 4u) {
    (*four).keys4 = masked((*four).keys4, query, key + 4u * LANES);
    (*four).keys5 = masked((*four).keys5, query, key + 5u * LANES);
    (*four).keys6 = masked((*four).keys6, query, key + 6u * LANES);
    (*four).keys7 = masked((*four).keys7, query, key + 7u * LANES);
    own = max(own, max((*four).keys4, (*four).keys5));
    own = max(own, max((*four).keys6, (*four).keys7));
  }
  let largest = largestOfLanes(own);
  (*four).keys0 = exp2((*four).keys0 - largest);
  var sum = (*four).keys0;
  if (LANE_KEYS > 1u) {
    (*four).keys1 = exp2((*four).keys1 - largest);
    sum += (*four).keys1;
  }
  if (LANE_KEYS > 2u) {
    (*four).keys2 = exp2((*four).keys2 - largest);
    (*four).keys3 = exp2((*four).keys3 - largest);
    sum += (*four).keys2 + (*four).keys3;
  }
  if (LANE_KEYS > 4u) {
    (*four).keys4 = exp2((*four).keys4 - largest);
    (*four).keys5 = exp2((*four).keys5 - largest);
    (*four).keys6 = exp2((*four).keys6 - largest);
    (*four).keys7 = exp2((*four).keys7 - largest);
    sum += (*four).keys4 + (*four).keys5 + (*four).keys6 + (*four).keys7;
  }
  let scale = exp2(before - largest);
  (*four).largest = largest;
  (*four).total = fma((*four).total, scale, sum);
  return scale;
}

// Lets lanes 0 to 3 hold the next four keys' exponentials in `keys0`, so that one piece of code takes all
// keys of a block: its loads are what takes long to compile.
fn nextFourKeys(four: ptr<function, Softmax>) {
  (*four).keys0 = subgroupShuffleXor((*four).keys0, 4u);
}

fn nextLaneKey(four: ptr<function, Softmax>) {
  (*four).keys0 = (*four).keys1;
  (*four).keys1 = (*four).keys2;
  (*four).keys2 = (*four).keys3;
  (*four).keys3 = (*four).keys4;
  (*four).keys4 = (*four).keys5;
  (*four).keys5 = (*four).keys6;
  (*four).keys6 = (*four).keys7;
}

fn clearScores(four: ptr<function, Softmax>) {
  (*four).keys0 = vec4f();
  (*four).keys1 = vec4f();
  (*four).keys2 = vec4f();
  (*four).keys3 = vec4f();
  (*four).keys4 = vec4f();
  (*four).keys5 = vec4f();
  (*four).keys6 = vec4f();
  (*four).keys7 = vec4f();
}

// Quad `quad` of the four rows of v from `key` on.
fn values(first_token: u32, key: u32, quad: u32) -> mat4x4f {
  return mat4x4f(
    valueQuad(first_token + min(key, SEQUENCE - 1u), quad),
    valueQuad(first_token + min(key + 1u, SEQUENCE - 1u), quad),
    valueQuad(first_token + min(key + 2u, SEQUENCE - 1u), quad),
    valueQuad(first_token + min(key + 3u, SEQUENCE - 1u), quad),
  );
}

fn weigh(sums: ptr<function, Rows>, v: mat4x4f, p: Rows) {
  (*sums).a += v * p.a;
  if (TILE_ROWS > 4u) {
    (*sums).b += v * p.b;
  }
  if (TILE_ROWS > 8u) {
    (*sums).c += v * p.c;
    (*sums).d += v * p.d;
  }
}

fn scaled(rows: mat4x4f, by: vec4f) -> mat4x4f {
  return mat4x4f(rows[0] * by.x, rows[1] * by.y, rows[2] * by.z, rows[3] * by.w);
}

struct Scale {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

fn rescale(sums: ptr<function, Rows>, by: Scale) {
  (*sums).a = scaled((*sums).a, by.a);
  if (TILE_ROWS > 4u) {
    (*sums).b = scaled((*sums).b, by.b);
  }
  if (TILE_ROWS > 8u) {
    (*sums).c = scaled((*sums).c, by.c);
    (*sums).d = scaled((*sums).d, by.d);
  }
}

// The same without its first query: a fixed place to store from, where an index that varies would take long
// to compile.
fn withoutFirst(rows: Rows) -> Rows {
  return Rows(
    mat4x4f(rows.a[1], rows.a[2], rows.a[3], rows.b[0]),
    mat4x4f(rows.b[1], rows.b[2], rows.b[3], rows.c[0]),
    mat4x4f(rows.c[1], rows.c[2], rows.c[3], rows.d[0]),
    mat4x4f(rows.d[1], rows.d[2], rows.d[3], rows.d[3]),
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let query = group.x / COLUMN_GROUPS * TILE_ROWS;
  let head = group.y;
  let first_token = group.z * SEQUENCE;
  let kv_head = head / (HEADS / KV_HEADS);
  let q_quad = head * HEAD_QUADS;
  let k_quad = (HEADS + kv_head) * HEAD_QUADS;
  let v_quad = firstValueQuad(kv_head);
  let column = group.x % COLUMN_GROUPS * COLUMNS * LANES + lane;
  let last_column = VALUE_QUADS - 1u;

  // Named, because arrays of accumulators leave the registers.
  var a: Softmax;
  var b: Softmax;
  var c: Softmax;
  var d: Softmax;
  chooseHeads(vec4u(head));
  a.largest = vec4f(firstLargest(head));
  a.total = vec4f(select(0.0, firstTotal(), lane == 0u));
  b.largest = a.largest;
  b.total = a.total;
  c.largest = a.largest;
  c.total = a.total;
  d.largest = a.largest;
  d.total = a.total;
  var sums0: Rows;
  var sums1: Rows;
  var sums2: Rows;
  var sums3: Rows;
  var sums4: Rows;
  var sums5: Rows;
  var sums6: Rows;
  var sums7: Rows;

  let keys = endOfKeys(query + TILE_ROWS - 1u);
  for (var first_key = firstKey(query); first_key < keys; first_key += LANE_KEYS * LANES) {
    clearScores(&a);
    clearScores(&b);
    clearScores(&c);
    clearScores(&d);
    let key = first_key + lane;
    for (var quad = 0u; quad < HEAD_QUADS; quad++) {
      let q = queries(first_token, query, q_quad + quad, lane);
      let k = keyQuads(first_token, key, k_quad + quad);
      addScores(&a, q.a, k);
      if (TILE_ROWS > 4u) {
        addScores(&b, q.b, k);
      }
      if (TILE_ROWS > 8u) {
        addScores(&c, q.c, k);
        addScores(&d, q.d, k);
      }
    }

    var scale: Scale;
    scale.a = exponentials(&a, query, key);
    if (TILE_ROWS > 4u) {
      scale.b = exponentials(&b, query + 4u, key);
    }
    if (TILE_ROWS > 8u) {
      scale.c = exponentials(&c, query + 8u, key);
      scale.d = exponentials(&d, query + 12u, key);
    }
    rescale(&sums0, scale);
    if (COLUMNS > 1u) {
      rescale(&sums1, scale);
    }
    if (COLUMNS > 2u) {
      rescale(&sums2, scale);
      rescale(&sums3, scale);
    }
    if (COLUMNS > 4u) {
      rescale(&sums4, scale);
      rescale(&sums5, scale);
      rescale(&sums6, scale);
      rescale(&sums7, scale);
    }

    for (var four_keys = 0u; four_keys < LANE_KEYS * LANES; four_keys += 4u) {
      var p: Rows;
      p.a = transpose(firstFour(a.keys0));
      if (TILE_ROWS > 4u) {
        p.b = transpose(firstFour(b.keys0));
      }
      if (TILE_ROWS > 8u) {
        p.c = transpose(firstFour(c.keys0));
        p.d = transpose(firstFour(d.keys0));
      }
      let row = first_key + four_keys;
      weigh(&sums0, values(first_token, row, v_quad + min(column, last_column)), p);
      if (COLUMNS > 1u) {
        weigh(&sums1, values(first_token, row, v_quad + min(column + LANES, last_column)), p);
      }
      if (COLUMNS > 2u) {
        weigh(&sums2, values(first_token, row, v_quad + min(column + 2u * LANES, last_column)), p);
        weigh(&sums3, values(first_token, row, v_quad + min(column + 3u * LANES, last_column)), p);
      }
      if (COLUMNS > 4u) {
        weigh(&sums4, values(first_token, row, v_quad + min(column + 4u * LANES, last_column)), p);
        weigh(&sums5, values(first_token, row, v_quad + min(column + 5u * LANES, last_column)), p);
        weigh(&sums6, values(first_token, row, v_quad + min(column + 6u * LANES, last_column)), p);
        weigh(&sums7, values(first_token, row, v_quad + min(column + 7u * LANES, last_column)), p);
      }
      if (LANES == 8u && four_keys % 8u == 0u) {
        nextFourKeys(&a);
        nextFourKeys(&b);
        nextFourKeys(&c);
        nextFourKeys(&d);
      } else {
        nextLaneKey(&a);
        nextLaneKey(&b);
        nextLaneKey(&c);
        nextLaneKey(&d);
      }
    }
  }

  let inverse = Scale(
    1.0 / sumOfLanes(a.total),
    1.0 / sumOfLanes(b.total),
    1.0 / sumOfLanes(c.total),
    1.0 / sumOfLanes(d.total),
  );
  for (var i = 0u; i < COLUMNS; i++) {
    let quad = column + i * LANES;
    rescale(&sums0, inverse);
    for (var row = query; row < min(query + TILE_ROWS, SEQUENCE); row++) {
      if (quad < VALUE_QUADS) {
        y[((first_token + row) * HEADS + head) * VALUE_QUADS + quad] = packQuad(sums0.a[0]);
      }
      sums0 = withoutFirst(sums0);
    }
    sums0 = sums1;
    sums1 = sums2;
    sums2 = sums3;
    sums3 = sums4;
    sums4 = sums5;
    sums5 = sums6;
    sums6 = sums7;
  }
}
