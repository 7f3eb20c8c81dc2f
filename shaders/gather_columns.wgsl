// gather_columns: y[row, piece · PIECE_COLUMNS + c] = x[piece, row, c]. After an all-gather the column
// shards lie one after the other; this weaves them into whole rows.
//
// x         Quad [PIECES, ROWS, PIECE_QUADS]
// y         Quad [ROWS, QUADS]   padding is written as zeros
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override ROWS: u32;
override PIECES: u32;
override PIECE_COLUMNS: u32;
override RUN: u32;
override WORKGROUP: u32;
override PIECE_QUADS: u32 = (PIECE_COLUMNS + 3u) / 4u;
override COLUMNS: u32 = PIECES * PIECE_COLUMNS;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

// The quad of x that holds this column of y.
fn source(row: u32, column: u32) -> Quad {
  let piece = column / PIECE_COLUMNS;
  return x[(piece * ROWS + row) * PIECE_QUADS + column % PIECE_COLUMNS / 4u];
}

fn element(row: u32, column: u32) -> f32 {
  if (column >= COLUMNS) {
    return 0.0;
  }
  return unpackQuad(source(row, column))[column % PIECE_COLUMNS % 4u];
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    let row = i / QUADS;
    let column = i % QUADS * 4u;
    if (PIECE_COLUMNS % 4u == 0u) {
      y[i] = source(row, column);
    } else {
      y[i] = packQuad(vec4f(
        element(row, column),
        element(row, column + 1u),
        element(row, column + 2u),
        element(row, column + 3u),
      ));
    }
  }
}
