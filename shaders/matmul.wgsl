// matmul: y = finish(x · w), with the operands, the rows and what finishes y by preludes of these names.
//
// Everything is in registers: an invocation computes TILE_ROWS rows of two quads of y and shares nothing, on
// whatever adapter. On a GPU neighbouring lanes read neighbouring quads of w and the same quads of x.
//
// y         [rows, N_QUADS], rows Y_QUADS apart, which `results` declares
// dispatch  workgroups for the rows, ROW_LANES · TILE_ROWS each, fewer of which take turns;
//           ceil(N_QUADS / (2 · COLUMN_LANES)); parts
override N: u32;
override K: u32;
override TILE_ROWS: u32;     // 4 or 8
override COLUMN_LANES: u32;  // a workgroup is COLUMN_LANES · ROW_LANES invocations
override ROW_LANES: u32;
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;

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

fn tile(part: Part, row: u32, column: u32) {
  let left_start = weightStart(part, column);
  let right_start = weightStart(part, min(column + COLUMN_LANES, N_QUADS - 1u));
  let upper_starts = inputStarts(part, row);
  let lower_starts = inputStarts(part, row + 4u);
  // Named, because arrays of accumulators leave the registers.
  var left = Block();
  var right = Block();
  var lower_left = Block();
  var lower_right = Block();
  for (var k = 0u; k < depthOf(part); k++) {
    let w_left = weightBlock(left_start, k);
    let w_right = weightBlock(right_start, k);
    let upper = inputs(upper_starts, k);
    left += w_left * upper;
    right += w_right * upper;
    if (TILE_ROWS > 4u) {
      let lower = inputs(lower_starts, k);
      lower_left += w_left * lower;
      lower_right += w_right * lower;
    }
  }

  // A loop, because what finishes y and the stores are long code that runs once.
  var blocks = array(left, right, lower_left, lower_right);
  for (var i = 0u; i < 2u * TILE_ROWS; i++) {
    let own_row = row + i / 8u * 4u + i % 4u;
    let own_column = column + i / 4u % 2u * COLUMN_LANES;
    if (own_row < part.end && own_column < N_QUADS) {
      let quad = finish(part, vec4f(blocks[i / 4u][i % 4u]), own_row, own_column);
      writeResult(placeOf(own_row, own_column), quad);
    }
  }
}

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let part = partOf(group.z);
  let column = group.y * 2u * COLUMN_LANES + local.x;
  if (column >= N_QUADS) {
    return;
  }
  let step = groups.x * ROW_LANES * TILE_ROWS;
  for (var row = part.first + (group.x * ROW_LANES + local.y) * TILE_ROWS; row < part.end; row += step) {
    tile(part, row, column);
  }
}
