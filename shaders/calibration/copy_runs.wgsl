// copy_runs: y = x, each workgroup a run of memory from its beginning to its end.
//
// As copy, for adapters that are CPUs: a workgroup is one subgroup, and starting one costs much.
//
// x         u32 [4 · QUADS]
// y         u32 [4 · QUADS]
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads
override QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    y[i] = x[i];
  }
}
