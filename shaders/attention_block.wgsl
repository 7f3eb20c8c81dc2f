// attention_block: a step of attention whose keys and values come in blocks, each of another rank: the online softmax of
// attention goes on where the block before left it, with sums that are not yet divided. Which rows are queries and keys,
// and where they stand, says attention/blocks.wgsl; where results go, attention/block_goes_on.wgsl or block_is_last.wgsl.
//
// A workgroup takes 32 queries of one head and walks the keys in blocks of 32, of which it leaves out those that none of
// its queries sees. Per block: scores in cells of 4 queries × 4 keys; exponentials, 4 queries to a lane; sums, in cells of
// 4 queries × a quad, each of which one lane has throughout.
//
// qkv       Quad [BATCH · ROWS, QKV_QUADS]                 queries first
// state     vec4f [BATCH · ROWS, HEADS, VALUE_QUADS + 1]   sums of values, then (largest score, total, 0, 0)
// dispatch  ceil(ROWS / 32), HEADS, BATCH
override LANES: u32;
override BEGINS: u32;  // 1: no block came before

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(5) var<storage, read_write> state: array<vec4f>;

const BLOCK_ROWS = 32u;  // of queries and of keys
const QUADS = BLOCK_ROWS / 4u;
const CELLS = QUADS * QUADS;
const PITCH = QUADS + 1u;

// [key][quad of queries]: scores, then their exponentials.
var<workgroup> weights: array<vec4f, BLOCK_ROWS * PITCH>;
// Of each quad of queries: largest score so far, sum of exponentials, and what this block scales older sums by.
var<workgroup> largest: array<vec4f, QUADS>;
var<workgroup> total: array<vec4f, QUADS>;
var<workgroup> rescale: array<vec4f, QUADS>;

fn scoreCell(sequence: u32, query: u32, key: u32, head: u32, cell: u32) {
  let rows = query + cell / QUADS * 4u;
  let keys = cell % QUADS * 4u;
  let products = productsOf(
    tokensOf(sequence, rows) * QKV_QUADS + head * HEAD_QUADS,
    keyStarts(tokensOf(sequence, key + keys), head / (HEADS / KV_HEADS)),
  );
  let positions = queryPositions(vec4u(rows) + vec4u(0u, 1u, 2u, 3u));
  let key_positions = keyPositions(vec4u(key + keys) + vec4u(0u, 1u, 2u, 3u));
  var scores: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    scores[i] = scoresOf(products[i], vec4u(positions[i]), key_positions);
  }
  scores = transpose(scores);
  for (var i = 0u; i < 4u; i++) {
    weights[(keys + i) * PITCH + cell / QUADS] = scores[i];
  }
}

// Of so many keys of the block: a number that varies, else compilers would write loops out, which takes them long.
fn softmaxOf(quad: u32, keys: u32) {
  let before = largest[quad];
  var now = before;
  for (var key = 0u; key < keys; key++) {
    now = max(now, weights[key * PITCH + quad]);
  }
  var sums = vec4f();
  for (var key = 0u; key < keys; key++) {
    let exponentials = exp2(weights[key * PITCH + quad] - now);
    weights[key * PITCH + quad] = exponentials;
    sums += exponentials;
  }
  let scale = exp2(before - now);
  largest[quad] = now;
  total[quad] = fma(total[quad], scale, sums);
  rescale[quad] = scale;
}

// Of the state, by a query's row of it.
fn rowAt(sequence: u32, query: u32, head: u32) -> u32 {
  return tokenOf(sequence, query) * HEADS + head;
}

fn begin(sequence: u32, query: u32, head: u32, quad: u32) {
  largest[quad] = vec4f(firstLargest(head));
  total[quad] = vec4f(firstTotal());
  if (BEGINS == 1u) {
    return;
  }
  for (var i = 0u; i < 4u; i++) {
    let row = rowAt(sequence, query + 4u * quad + i, head);
    let found = state[row * (VALUE_QUADS + 1u) + VALUE_QUADS];
    largest[quad][i] = found.x;
    total[quad][i] = found.y;
  }
}

// The first and the last of a block.
fn rowsFrom(first: u32) -> vec2u {
  return vec2u(first, min(first + BLOCK_ROWS, ROWS) - 1u);
}

fn outer(quad: vec4f, rows: vec4f) -> mat4x4f {
  return mat4x4f(quad * rows.x, quad * rows.y, quad * rows.z, quad * rows.w);
}

// What a cell's four queries, from `query` on, have of a quad so far, as the block before left it.
fn sumsSoFar(sequence: u32, query: u32, head: u32, quad: u32, by: vec4f) -> mat4x4f {
  var sums: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    sums[i] = by[i] * state[rowAt(sequence, query + i, head) * (VALUE_QUADS + 1u) + quad];
  }
  return sums;
}

fn storeSums(sequence: u32, query: u32, head: u32, quad: u32, sums: mat4x4f) {
  for (var i = 0u; i < 4u && query + i < ROWS; i++) {
    state[rowAt(sequence, query + i, head) * (VALUE_QUADS + 1u) + quad] = sums[i];
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_query = group.x * BLOCK_ROWS;
  let head = group.y;
  let sequence = group.z;
  let v_quad = firstValueQuad(head / (HEADS / KV_HEADS));
  chooseHeads(vec4u(head));
  for (var own = lane; own < QUADS; own += LANES) {
    begin(sequence, first_query, head, own);
  }

  var is_empty = BEGINS == 1u;
  for (var key = 0u; key < ROWS; key += BLOCK_ROWS) {
    if (!blocksMeet(rowsFrom(first_query), rowsFrom(key))) {
      continue;
    }
    for (var cell = lane; cell < CELLS; cell += LANES) {
      scoreCell(sequence, first_query, key, head, cell);
    }
    workgroupBarrier();
    let keys = min(BLOCK_ROWS, ROWS - key);
    for (var own = lane; own < QUADS; own += LANES) {
      softmaxOf(own, keys);
    }
    workgroupBarrier();
    for (var cell = lane; cell < QUADS * VALUE_QUADS; cell += LANES) {
      let own = cell % QUADS;
      let quad = cell / QUADS;
      var sums = mat4x4f();
      if (!is_empty) {
        sums = sumsSoFar(sequence, first_query + 4u * own, head, quad, rescale[own]);
      }
      for (var i = 0u; i < keys; i++) {
        let value = valueQuad(tokenOf(sequence, key + i), v_quad + quad);
        sums += outer(value, weights[i * PITCH + own]);
      }
      storeSums(sequence, first_query + 4u * own, head, quad, sums);
    }
    is_empty = false;
    // The next block overwrites the scores.
    workgroupBarrier();
  }

  // Where no block was seen, lanes read what others began with.
  workgroupBarrier();
  for (var cell = lane; cell < QUADS * VALUE_QUADS; cell += LANES) {
    let own = cell % QUADS;
    let quad = cell / QUADS;
    let query = first_query + 4u * own;
    if (is_empty) {
      storeSums(sequence, query, head, quad, mat4x4f());
    }
    for (var i = 0u; i < 4u && query + i < ROWS; i++) {
      let row = rowAt(sequence, query + i, head);
      storeResult(row, quad, total[own][i]);
      if (quad == 0u) {
        storeSoftmax(row, largest[own][i], total[own][i]);
      }
    }
  }
}
