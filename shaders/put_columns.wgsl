// put_columns: y[row, OFFSET + c] = x[row, c], in quads; what lies beside them in y stays.
//
// x         vec4f [ROWS, QUADS]
// y         vec4f [ROWS, Y_QUADS]   partly written
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of x
override ROWS: u32;
override QUADS: u32;
override Y_QUADS: u32;
override OFFSET: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    y[i / QUADS * Y_QUADS + OFFSET + i % QUADS] = x[i];
  }
}
