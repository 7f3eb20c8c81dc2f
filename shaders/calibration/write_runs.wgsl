// write_runs: y = a pattern that follows from the place, each workgroup a run of memory, as in copy_runs.
//
// y         u32 [4 · QUADS]   word k of quad i is i + k
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads
override QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    y[i] = vec4u(i, i + 1u, i + 2u, i + 3u);
  }
}
