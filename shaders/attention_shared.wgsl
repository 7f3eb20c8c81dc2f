// attention_shared: y = softmax(scores of q and k) · v, as attention, for GPUs: what the invocations of a
// workgroup need in common, they share in workgroup memory, and each has enough to do with what it reads there.
//
// A workgroup takes TILE queries of one head and walks the keys in blocks of TILE. It is EDGE × EDGE
// invocations; in row y they hold queries y, y + EDGE, y + 2 · EDGE …, four to a vector. Per block:
//   1. scores   in column x, against keys x, x + EDGE …; DEPTH quads of the head are shared at a time
//   2. softmax  a row agrees on the largest scores so far; scores become exp2(score - largest), in shared memory
//   3. output   in column x, sums of quads x, x + EDGE … of v; STEP rows of v are shared at a time
// Neighbours are EDGE rows apart and rows have an odd pitch, so that they find their numbers in other banks.
//
// Query head h attends with key and value head h / (HEADS / KV_HEADS). What a query sees, and what its scores are, say
// attention/keys_seen.wgsl and attention/scores.wgsl; blocks that no query of the workgroup sees are skipped.
//
// qkv       Quad [BATCH · SEQUENCE, QKV_QUADS]   of each token: q, then k, then v where it does not lie apart
// y         Quad [BATCH · SEQUENCE, HEADS · VALUE_QUADS]
// dispatch  ceil(SEQUENCE / TILE), HEADS, BATCH
override EDGE: u32;     // 8 or 16
override BLOCKS: u32;   // vectors of queries, and of keys, of an invocation: 1 or 2
override COLUMNS: u32;  // quads of the head that an invocation sums; BLOCKS · COLUMNS is 1, 2 or 4
override DEPTH: u32;
override TILE: u32 = 4u * EDGE * BLOCKS;
override DEPTH_PITCH: u32 = DEPTH + 1u;
override STAGED: u32 = 2u * TILE * DEPTH_PITCH;
override STEP: u32 = min(TILE, STAGED / VALUE_QUADS);
override WEIGHT_PITCH: u32 = EDGE * BLOCKS + 1u;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

// [TILE, DEPTH] of the queries, then of the keys; later [STEP, VALUE_QUADS] of v.
var<workgroup> staged: array<vec4f, STAGED>;
// [key][vector of queries]: exponentials.
var<workgroup> weights: array<vec4f, TILE * WEIGHT_PITCH>;
// [vector of queries][x]: what a row is to agree on.
var<workgroup> shared_by_row: array<vec4f, BLOCKS * EDGE * EDGE>;

// Puts `quads` quads, from `quad` on, of `rows` tokens' rows of qkv into `staged`, `pitch` quads apart. Tokens
// past the end repeat the last, quads past the end of a head are not used.
fn stage(at: u32, pitch: u32, first_token: u32, token: u32, rows: u32, quad: u32, quads: u32, invocation: u32) {
  for (var i = invocation; i < rows * quads; i += EDGE * EDGE) {
    let row = (first_token + min(token + i / quads, SEQUENCE - 1u)) * QKV_QUADS;
    staged[at + i / quads * pitch + i % quads] = unpackQuad(qkv[row + quad + i % quads]);
  }
}

// Likewise the values of `rows` keys from `key` on, the quads of a head from `quad` on.
fn stageValues(first_token: u32, key: u32, rows: u32, quad: u32, invocation: u32) {
  for (var i = invocation; i < rows * VALUE_QUADS; i += EDGE * EDGE) {
    let token = first_token + min(key + i / VALUE_QUADS, SEQUENCE - 1u);
    staged[i] = valueQuad(token, quad + i % VALUE_QUADS);
  }
}

// sum + rows · by
fn multiplyAdd(sum: vec4f, rows: mat4x4f, by: vec4f) -> vec4f {
  let two = fma(rows[1], vec4f(by.y), fma(rows[0], vec4f(by.x), sum));
  return fma(rows[3], vec4f(by.w), fma(rows[2], vec4f(by.z), two));
}

// One quad of four rows, EDGE apart, each in a column.
fn stagedRows(at: u32) -> mat4x4f {
  let step = EDGE * DEPTH_PITCH;
  return mat4x4f(staged[at], staged[at + step], staged[at + 2u * step], staged[at + 3u * step]);
}

// Adds what a quad of the head brings to the scores of four queries against four keys, one key to a column.
fn addScores(scores: mat4x4f, queries: mat4x4f, keys: mat4x4f) -> mat4x4f {
  return mat4x4f(
    multiplyAdd(scores[0], queries, keys[0]),
    multiplyAdd(scores[1], queries, keys[1]),
    multiplyAdd(scores[2], queries, keys[2]),
    multiplyAdd(scores[3], queries, keys[3]),
  );
}

// Scores of four queries against one key.
fn maskedKey(scores: vec4f, query: u32, key: u32) -> vec4f {
  return scoresOf(scores, query + EDGE * vec4u(0u, 1u, 2u, 3u), vec4u(key));
}

fn masked(scores: mat4x4f, query: u32, key: u32) -> mat4x4f {
  return mat4x4f(
    maskedKey(scores[0], query, key),
    maskedKey(scores[1], query, key + EDGE),
    maskedKey(scores[2], query, key + 2u * EDGE),
    maskedKey(scores[3], query, key + 3u * EDGE),
  );
}

fn largestOf(scores: mat4x4f) -> vec4f {
  return max(max(scores[0], scores[1]), max(scores[2], scores[3]));
}

// Turns scores into exponentials, leaves them in `weights`, and returns their sums.
fn weigh(scores: mat4x4f, largest: vec4f, at: u32) -> vec4f {
  let step = EDGE * WEIGHT_PITCH;
  let weights0 = exp2(scores[0] - largest);
  let weights1 = exp2(scores[1] - largest);
  let weights2 = exp2(scores[2] - largest);
  let weights3 = exp2(scores[3] - largest);
  weights[at] = weights0;
  weights[at + step] = weights1;
  weights[at + 2u * step] = weights2;
  weights[at + 3u * step] = weights3;
  return weights0 + weights1 + weights2 + weights3;
}

fn largestOfRow(at: u32) -> vec4f {
  var largest = shared_by_row[at];
  for (var x = 1u; x < EDGE; x++) {
    largest = max(largest, shared_by_row[at + x]);
  }
  return largest;
}

fn sumOfRow(at: u32) -> vec4f {
  var sum = shared_by_row[at];
  for (var x = 1u; x < EDGE; x++) {
    sum += shared_by_row[at + x];
  }
  return sum;
}

// A quad of four queries' output, one query to a column: each column scaled, or more of v added to it.
fn scaled(sums: mat4x4f, by: vec4f) -> mat4x4f {
  return mat4x4f(sums[0] * by.x, sums[1] * by.y, sums[2] * by.z, sums[3] * by.w);
}

fn addValue(sums: mat4x4f, v: vec4f, weight: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(v, vec4f(weight.x), sums[0]),
    fma(v, vec4f(weight.y), sums[1]),
    fma(v, vec4f(weight.z), sums[2]),
    fma(v, vec4f(weight.w), sums[3]),
  );
}

@compute @workgroup_size(EDGE, EDGE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  // With a causal mask the last queries have the most keys: they start first.
  let first_query = (groups.x - 1u - group.x) * TILE;
  let head = group.y;
  let first_token = group.z * SEQUENCE;
  let kv_head = head / (HEADS / KV_HEADS);
  let q_quad = head * HEAD_QUADS;
  let k_quad = (HEADS + kv_head) * HEAD_QUADS;
  let v_quad = firstValueQuad(kv_head);
  let invocation = local.y * EDGE + local.x;
  let last_quad = VALUE_QUADS - 1u;

  // Of the first four queries, and of those 4 · EDGE further on.
  let query0 = first_query + local.y;
  let query1 = query0 + 4u * EDGE;
  let row0 = local.y * EDGE;
  let row1 = row0 + EDGE * EDGE;
  chooseHeads(vec4u(head));
  var largest0 = vec4f(firstLargest(head));
  var largest1 = largest0;
  // This invocation's share.
  var total0 = vec4f(select(0.0, firstTotal(), local.x == 0u));
  var total1 = total0;
  // Quads of the first four queries; those of the others follow where there are others.
  var sums0 = mat4x4f();
  var sums1 = mat4x4f();
  var sums2 = mat4x4f();
  var sums3 = mat4x4f();

  let keys = endOfKeys(first_query + TILE - 1u);
  for (var first_key = firstKey(first_query); first_key < keys; first_key += TILE) {
    // By four queries, then by four keys.
    var scores00 = mat4x4f();
    var scores01 = mat4x4f();
    var scores10 = mat4x4f();
    var scores11 = mat4x4f();
    for (var quad = 0u; quad < HEAD_QUADS; quad += DEPTH) {
      let depth = min(DEPTH, HEAD_QUADS - quad);
      workgroupBarrier();
      stage(0u, DEPTH_PITCH, first_token, first_query, TILE, q_quad + quad, depth, invocation);
      stage(STAGED / 2u, DEPTH_PITCH, first_token, first_key, TILE, k_quad + quad, depth, invocation);
      workgroupBarrier();
      for (var i = 0u; i < depth; i++) {
        let q = local.y * DEPTH_PITCH + i;
        let k = STAGED / 2u + local.x * DEPTH_PITCH + i;
        let queries0 = transpose(stagedRows(q));
        let keys0 = stagedRows(k);
        scores00 = addScores(scores00, queries0, keys0);
        if (BLOCKS > 1u) {
          let queries1 = transpose(stagedRows(q + 4u * EDGE * DEPTH_PITCH));
          let keys1 = stagedRows(k + 4u * EDGE * DEPTH_PITCH);
          scores01 = addScores(scores01, queries0, keys1);
          scores10 = addScores(scores10, queries1, keys0);
          scores11 = addScores(scores11, queries1, keys1);
        }
      }
    }

    let key0 = first_key + local.x;
    let key1 = key0 + 4u * EDGE;
    scores00 = masked(scores00, query0, key0);
    var own0 = largestOf(scores00);
    if (BLOCKS > 1u) {
      scores01 = masked(scores01, query0, key1);
      scores10 = masked(scores10, query1, key0);
      scores11 = masked(scores11, query1, key1);
      own0 = max(own0, largestOf(scores01));
      shared_by_row[row1 + local.x] = max(largestOf(scores10), largestOf(scores11));
    }
    shared_by_row[row0 + local.x] = own0;
    workgroupBarrier();

    let now0 = max(largest0, largestOfRow(row0));
    let scale0 = exp2(largest0 - now0);
    largest0 = now0;
    let weight0 = local.x * WEIGHT_PITCH + local.y;
    total0 = fma(total0, scale0, weigh(scores00, now0, weight0));
    var scale1 = scale0;
    if (BLOCKS > 1u) {
      let now1 = max(largest1, largestOfRow(row1));
      scale1 = exp2(largest1 - now1);
      largest1 = now1;
      let weight1 = weight0 + 4u * EDGE * WEIGHT_PITCH;
      total0 += weigh(scores01, now0, weight1);
      total1 = fma(total1, scale1, weigh(scores10, now1, weight0 + EDGE));
      total1 += weigh(scores11, now1, weight1 + EDGE);
    }
    sums0 = scaled(sums0, scale0);
    if (COLUMNS > 1u) {
      sums1 = scaled(sums1, scale0);
    }
    if (BLOCKS > 1u && COLUMNS == 1u) {
      sums1 = scaled(sums1, scale1);
    }
    if (BLOCKS * COLUMNS == 4u) {
      sums2 = scaled(sums2, scale1);
      sums3 = scaled(sums3, scale1);
    }

    let count = min(TILE, keys - first_key);
    for (var first = 0u; first < count; first += STEP) {
      let rows = min(STEP, count - first);
      workgroupBarrier();
      stageValues(first_token, first_key + first, rows, v_quad, invocation);
      workgroupBarrier();
      for (var i = 0u; i < rows; i++) {
        let weight = (first + i) * WEIGHT_PITCH + local.y;
        let own = i * VALUE_QUADS;
        let p0 = weights[weight];
        let v0 = staged[own + min(local.x, last_quad)];
        sums0 = addValue(sums0, v0, p0);
        if (BLOCKS > 1u) {
          let p1 = weights[weight + EDGE];
          if (COLUMNS > 1u) {
            let v1 = staged[own + min(local.x + EDGE, last_quad)];
            sums1 = addValue(sums1, v1, p0);
            sums2 = addValue(sums2, v0, p1);
            sums3 = addValue(sums3, v1, p1);
          } else {
            sums1 = addValue(sums1, v0, p1);
          }
        } else {
          if (COLUMNS > 1u) {
            sums1 = addValue(sums1, staged[own + min(local.x + EDGE, last_quad)], p0);
          }
          if (COLUMNS > 2u) {
            sums2 = addValue(sums2, staged[own + min(local.x + 2u * EDGE, last_quad)], p0);
            sums3 = addValue(sums3, staged[own + min(local.x + 3u * EDGE, last_quad)], p0);
          }
        }
      }
    }
  }

  workgroupBarrier();
  shared_by_row[row0 + local.x] = total0;
  if (BLOCKS > 1u) {
    shared_by_row[row1 + local.x] = total1;
  }
  workgroupBarrier();

  // A loop, because it is long code that runs once.
  var sums = array(sums0, sums1, sums2, sums3);
  for (var i = 0u; i < 4u * BLOCKS * COLUMNS; i++) {
    let block = i / (4u * COLUMNS);
    let query = first_query + local.y + (4u * block + i % 4u) * EDGE;
    let quad = local.x + i / 4u % COLUMNS * EDGE;
    if (query < SEQUENCE && quad < VALUE_QUADS) {
      let total = sumOfRow(row0 + block * EDGE * EDGE);
      let at = ((first_token + query) * HEADS + head) * VALUE_QUADS + quad;
      y[at] = packQuad(sums[i / 4u][i % 4u] / total[i % 4u]);
    }
  }
}
