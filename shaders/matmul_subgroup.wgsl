// matmul_subgroup: y = finish(x · w), as matmul, for adapters with small subgroups.
//
// Every lane owns a quad of columns of y, but all lanes of a subgroup need the same rows of x. So each lane
// loads a different quad and the subgroup hands it round: one load of x feeds LOAD_ROWS rows. Where loads are
// dear and arithmetic cheap, as on software adapters, little else counts.
//
// Lanes of subgroups of 4 swap their quads instead: on SwiftShader a broadcast takes a dozen instructions. Then the
// first quad of a block is the lane's own, and which of the four the others are differs from lane to lane. Where a
// quad is of one row, that is set right by the store; where x lies transposed and it is of one k, each lane takes the
// rows of w in the order of its quads.
//
// Workgroups that follow each other take different rows of the same columns: their part of w, a strip of one
// cache line or two in each of its rows, stays in the caches, and its pages stay mapped.
//
// y         [rows, N_QUADS], rows Y_QUADS apart, which `results` declares
// dispatch  workgroups for the rows, TILE_ROWS each, fewer of which take turns; ceil(N_QUADS / LANES); parts
enable subgroups;

override N: u32;
override K: u32;
override LOAD_ROWS: u32;  // 4, whose lanes swap, or 8; no subgroup has fewer lanes
override TILE_ROWS: u32;  // 4, 8, 16 or 32
override LANES: u32;      // invocations of a workgroup: whole subgroups
override SWAP: bool = LOAD_ROWS == 4u;
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;

// A quad of each of 16 rows, four rows to a matrix.
struct Rows {
  a: Block,
  b: Block,
  c: Block,
  d: Block,
}

// The block of x whose quads lanes 0 to 3 hold, or each four lanes.
fn firstFour(quad: Vector) -> Block {
  if (SWAP) {
    return inputBlock(Block(quad, quadSwapX(quad), quadSwapY(quad), quadSwapDiagonal(quad)));
  }
  return inputBlock(Block(
    subgroupBroadcast(quad, 0u),
    subgroupBroadcast(quad, 1u),
    subgroupBroadcast(quad, 2u),
    subgroupBroadcast(quad, 3u),
  ));
}

// The block of x whose quads lanes 4 to 7 hold.
fn secondFour(quad: Vector) -> Block {
  return inputBlock(Block(
    subgroupBroadcast(quad, 4u),
    subgroupBroadcast(quad, 5u),
    subgroupBroadcast(quad, 6u),
    subgroupBroadcast(quad, 7u),
  ));
}

// Where a lane starts to load: of the rows from `row` on, and of those LOAD_ROWS further on each time.
fn inputStarts(part: Part, row: u32, lane: u32) -> vec4u {
  let own = row + lane % LOAD_ROWS / 4u * 4u;
  return vec4u(
    inputStart(part, own, lane % 4u),
    inputStart(part, own + LOAD_ROWS, lane % 4u),
    inputStart(part, own + 2u * LOAD_ROWS, lane % 4u),
    inputStart(part, own + 3u * LOAD_ROWS, lane % 4u),
  );
}

// Quad `k` of 16 rows, or of the tile's where it has fewer, in every lane. Lanes beyond LOAD_ROWS load what others
// load, too.
fn inputs(starts: vec4u, k: u32) -> Rows {
  var rows: Rows;
  if (LOAD_ROWS == 8u) {
    let upper = inputQuad(starts.x, k);
    rows.a = firstFour(upper);
    if (TILE_ROWS > 4u) {
      rows.b = secondFour(upper);
    }
    if (TILE_ROWS > 8u) {
      let lower = inputQuad(starts.y, k);
      rows.c = firstFour(lower);
      rows.d = secondFour(lower);
    }
  } else {
    rows.a = firstFour(inputQuad(starts.x, k));
    if (TILE_ROWS > 4u) {
      rows.b = firstFour(inputQuad(starts.y, k));
    }
    if (TILE_ROWS > 8u) {
      rows.c = firstFour(inputQuad(starts.z, k));
      rows.d = firstFour(inputQuad(starts.w, k));
    }
  }
  return rows;
}

fn multiplyAdd(sums: ptr<function, Rows>, weights: Block, rows: Rows) {
  (*sums).a += weights * rows.a;
  if (TILE_ROWS > 4u) {
    (*sums).b += weights * rows.b;
  }
  if (TILE_ROWS > 8u) {
    (*sums).c += weights * rows.c;
    (*sums).d += weights * rows.d;
  }
}

// In the order of the lane's quads of x, where it is rows of w that they meet.
fn weightsOf(start: WeightStart, k: u32, lane: u32) -> Block {
  if (SWAP) {
    return weightBlockFrom(start, k, lane % 4u);
  }
  return weightBlock(start, k);
}

fn store(part: Part, sums: Rows, row: u32, column: u32, lane: u32) {
  // A loop, because what finishes y and the stores are long code that runs once.
  var quads = array(sums.a, sums.b, sums.c, sums.d);
  for (var i = 0u; i < min(TILE_ROWS, 16u); i++) {
    let own = row + select(i, i ^ (lane % 4u), SWAP && QUADS_ARE_ROWS);
    if (own < part.end) {
      writeResult(placeOf(own, column), finish(part, vec4f(quads[i / 4u][i % 4u]), own, column));
    }
  }
}

fn tile(part: Part, row: u32, lane: u32, column: u32) {
  let weight_start = weightStart(part, min(column, N_QUADS - 1u));
  let upper_starts = inputStarts(part, row, lane);
  let lower_starts = inputStarts(part, row + 16u, lane);
  var upper: Rows;
  var lower: Rows;
  for (var k = 0u; k < depthOf(part); k++) {
    let weights = weightsOf(weight_start, k, lane);
    multiplyAdd(&upper, weights, inputs(upper_starts, k));
    if (TILE_ROWS > 16u) {
      multiplyAdd(&lower, weights, inputs(lower_starts, k));
    }
  }
  if (column >= N_QUADS) {
    return;
  }
  store(part, upper, row, column, lane);
  if (TILE_ROWS > 16u) {
    store(part, lower, row + 16u, column, lane);
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  // Part and rows are the same for a whole workgroup, so that every lane takes part in every broadcast.
  let part = partOf(group.z);
  let column = group.y * LANES + invocation;
  for (var row = part.first + group.x * TILE_ROWS; row < part.end; row += groups.x * TILE_ROWS) {
    tile(part, row, lane, column);
  }
}
