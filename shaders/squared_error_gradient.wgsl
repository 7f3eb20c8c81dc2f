// squared_error_gradient: dx = SCALE · (x − targets), element by element.
//
// x         Quad [ROWS, QUADS]
// targets   Quad [ROWS, QUADS]
// dx        Quad [ROWS, QUADS]   padding stays 0 = 0 − 0
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of dx
override ROWS: u32;
override COLUMNS: u32;
override SCALE: f32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> targets: array<Quad>;
@group(0) @binding(2) var<storage, read_write> dx: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    dx[i] = packQuad(SCALE * (unpackQuad(x[i]) - unpackQuad(targets[i])));
  }
}
