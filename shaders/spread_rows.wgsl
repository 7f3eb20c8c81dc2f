// spread_rows: y[row] = SCALE · x[row / GROUP], the gradient of a sum over GROUP rows.
//
// x         Quad [ROWS / GROUP, QUADS]
// y         Quad [ROWS, QUADS]           padding stays 0
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override ROWS: u32;
override COLUMNS: u32;
override GROUP: u32;
override SCALE: f32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    y[i] = packQuad(SCALE * unpackQuad(x[i / QUADS / GROUP * QUADS + i % QUADS]));
  }
}
