// clear: y = 0.
//
// y         vec4f [QUADS]
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads
override QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let begin = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(begin + RUN * WORKGROUP, QUADS);
  for (var i = begin + lane; i < end; i += WORKGROUP) {
    y[i] = vec4f();
  }
}
