// activation_gradient: of h = activate(u) · gate, du = dh · gate · activate'(u) and dgate = dh · activate(u), element by
// element; without a gate du = dh · activate'(u).
//
// The activation, its slope, the gate and how many rows are in use come by preludes.
//
// dh        Quad [ROWS, QUADS]   padding 0
// u         Quad [ROWS, QUADS]   before the activation
// du        Quad [ROWS, QUADS]   padding 0
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads
override ROWS: u32;
override COLUMNS: u32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> dh: array<Quad>;
@group(0) @binding(1) var<storage, read> u: array<Quad>;
@group(0) @binding(2) var<storage, read_write> du: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, usedRows() * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    storeGradients(i, unpackQuad(dh[i]), unpackQuad(u[i]));
  }
}
