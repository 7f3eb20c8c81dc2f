// slice_columns: y[row, c] = x[row, OFFSET + c], one rank's columns of whole rows.
//
// x         Quad [ROWS, INPUT_QUADS]   of INPUT_COLUMNS columns, OFFSET + COLUMNS of them at least
// y         Quad [ROWS, QUADS]         padding is written as zeros
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override ROWS: u32;
override INPUT_COLUMNS: u32;
override OFFSET: u32;
override COLUMNS: u32;
override RUN: u32;
override WORKGROUP: u32;
override INPUT_QUADS: u32 = (INPUT_COLUMNS + 3u) / 4u;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

fn element(row: u32, column: u32) -> f32 {
  if (column >= COLUMNS) {
    return 0.0;
  }
  let from_column = OFFSET + column;
  return unpackQuad(x[row * INPUT_QUADS + from_column / 4u])[from_column % 4u];
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
    if (OFFSET % 4u == 0u && COLUMNS % 4u == 0u) {
      y[i] = x[row * INPUT_QUADS + (OFFSET + column) / 4u];
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
