// matmul_skinny: y = finish(x · w), as matmul, for so few rows that reading w is all that takes time.
//
// A workgroup takes COLUMN_LANES quads of y and SPLITS shares of k for each, so that also a narrow w keeps a GPU
// busy; neighbouring lanes read neighbouring quads of w. The shares are added up in workgroup memory.
//
// y         [rows, N_QUADS], rows Y_QUADS apart, which `results` declares
// dispatch  workgroups for the rows, TILE_ROWS each, fewer of which take turns;
//           ceil(N_QUADS / COLUMN_LANES); parts
override N: u32;
override K: u32;
override TILE_ROWS: u32;     // 1, 4 or 8
override COLUMN_LANES: u32;  // a workgroup is COLUMN_LANES · SPLITS invocations
override SPLITS: u32;
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;
override SHARES: u32 = TILE_ROWS * COLUMN_LANES * SPLITS;

// [SPLITS, TILE_ROWS, COLUMN_LANES]
var<workgroup> shares: array<Vector, SHARES>;

// A quad of each of 8 rows.
struct Rows {
  upper: Block,
  lower: Block,
}

fn inputStarts(part: Part, row: u32) -> vec4u {
  return vec4u(
    inputStart(part, row, 0u),
    inputStart(part, row, 1u),
    inputStart(part, row, 2u),
    inputStart(part, row, 3u),
  );
}

// Quad `k` of four rows of x.
fn inputs(starts: vec4u, k: u32) -> Block {
  return inputBlock(Block(
    inputQuad(starts.x, k),
    inputQuad(starts.y, k),
    inputQuad(starts.z, k),
    inputQuad(starts.w, k),
  ));
}

// The share `split` of the rows from `row` on. One row by itself spares the loads and the sums of three.
fn multiply(part: Part, row: u32, split: u32, column: u32) -> Rows {
  let weight_start = weightStart(part, column);
  let upper_starts = inputStarts(part, row);
  let lower_starts = inputStarts(part, row + 4u);
  var sums: Rows;
  for (var k = split; k < depthOf(part); k += SPLITS) {
    let weights = weightBlock(weight_start, k);
    if (TILE_ROWS == 1u) {
      sums.upper[0] += weights * inputs(upper_starts, k)[0];
    } else {
      sums.upper += weights * inputs(upper_starts, k);
    }
    if (TILE_ROWS > 4u) {
      sums.lower += weights * inputs(lower_starts, k);
    }
  }
  return sums;
}

@compute @workgroup_size(COLUMN_LANES, SPLITS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let part = partOf(group.z);
  let column = group.y * COLUMN_LANES + local.x;
  for (var row = part.first + group.x * TILE_ROWS; row < part.end; row += groups.x * TILE_ROWS) {
    let sums = multiply(part, row, local.y, min(column, N_QUADS - 1u));
    var quads = array(sums.upper, sums.lower);
    for (var i = 0u; i < TILE_ROWS; i++) {
      shares[(local.y * TILE_ROWS + i) * COLUMN_LANES + local.x] = quads[i / 4u][i % 4u];
    }
    workgroupBarrier();
    // Rows are dealt to the splits.
    for (var i = local.y; i < min(TILE_ROWS, part.end - row); i += SPLITS) {
      var sum = Vector();
      for (var split = 0u; split < SPLITS; split++) {
        sum += shares[(split * TILE_ROWS + i) * COLUMN_LANES + local.x];
      }
      if (column < N_QUADS) {
        writeResult(placeOf(row + i, column), finish(part, vec4f(sum), row + i, column));
      }
    }
    workgroupBarrier();
  }
}
