// attention_block: a step of attention whose keys and values come in blocks, each of another rank: the online softmax of
// attention goes on where the block before left it, with sums that are not yet divided. Which rows are queries and keys,
// and where they stand, says attention/blocks.wgsl; where results go, attention/block_goes_on.wgsl or block_is_last.wgsl.
//
// A workgroup takes 32 queries of one head and walks the keys in blocks of 32, of which it leaves out those that none of
// its queries sees. Per block: scores in cells of 4 queries × 4 keys; exponentials, 4 queries to a lane; sums, of which
// each lane owns 4 queries × 2 quads.
//
// qkv       Quad [BATCH · ROWS, QKV_QUADS]   queries first
// dispatch  ceil(ROWS / 32), HEADS, BATCH; LANES = 8 · ceil(VALUE_QUADS / 2)
override LANES: u32;
override BEGINS: u32;  // 1: no block came before

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;

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

fn softmaxOf(quad: u32) {
  let before = largest[quad];
  var now = before;
  for (var key = 0u; key < BLOCK_ROWS; key++) {
    now = max(now, weights[key * PITCH + quad]);
  }
  var sums = vec4f();
  for (var key = 0u; key < BLOCK_ROWS; key++) {
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

fn outer(quad: vec4f, rows: vec4f) -> mat4x4f {
  return mat4x4f(quad * rows.x, quad * rows.y, quad * rows.z, quad * rows.w);
}

fn scaled(rows: mat4x4f, by: vec4f) -> mat4x4f {
  return mat4x4f(rows[0] * by.x, rows[1] * by.y, rows[2] * by.z, rows[3] * by.w);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_query = group.x * BLOCK_ROWS;
  let head = group.y;
  let sequence = group.z;
  let v_quad = firstValueQuad(head / (HEADS / KV_HEADS));

  // This lane's share: the four queries of quad `own` of the block, and two quads of the head.
  let own = lane % QUADS;
  let quad = lane / QUADS * 2u;
  let right = min(quad + 1u, VALUE_QUADS - 1u);
  var left_sum = mat4x4f();
  var right_sum = mat4x4f();
  chooseHeads(vec4u(head));
  if (lane < QUADS) {
    begin(sequence, first_query, head, lane);
  }
  if (BEGINS == 0u) {
    for (var i = 0u; i < 4u; i++) {
      let at = rowAt(sequence, first_query + 4u * own + i, head) * (VALUE_QUADS + 1u);
      left_sum[i] = state[at + quad];
      right_sum[i] = state[at + right];
    }
  }

  for (var key = 0u; key < ROWS; key += BLOCK_ROWS) {
    if (!blocksMeet(first_query, key)) {
      continue;
    }
    for (var cell = lane; cell < CELLS; cell += LANES) {
      scoreCell(sequence, first_query, key, head, cell);
    }
    workgroupBarrier();
    if (lane < QUADS) {
      softmaxOf(lane);
    }
    workgroupBarrier();
    left_sum = scaled(left_sum, rescale[own]);
    right_sum = scaled(right_sum, rescale[own]);
    for (var i = 0u; i < BLOCK_ROWS; i++) {
      let token = tokenOf(sequence, key + i);
      let p = weights[i * PITCH + own];
      left_sum += outer(valueQuad(token, v_quad + quad), p);
      right_sum += outer(valueQuad(token, v_quad + right), p);
    }
    // The next block overwrites the scores.
    workgroupBarrier();
  }

  // Lanes read what others began with, where no block was seen.
  workgroupBarrier();
  for (var i = 0u; i < 4u && first_query + 4u * own + i < ROWS; i++) {
    let row = rowAt(sequence, first_query + 4u * own + i, head);
    if (quad < VALUE_QUADS) {
      storeSum(row, quad, left_sum[i], total[own][i]);
    }
    if (right > quad) {
      storeSum(row, right, right_sum[i], total[own][i]);
    }
    if (quad == 0u) {
      storeSoftmax(row, largest[own][i], total[own][i]);
    }
  }
}
