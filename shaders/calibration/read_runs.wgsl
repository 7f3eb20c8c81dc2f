// read_runs: sums of x over the quads of each invocation, each workgroup a run of memory, as in copy_runs.
//
// x         u32 [4 · QUADS]
// sums      u32 [invocations]   Σ of the words it read, modulo 2³²
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads
override QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  let first = index * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, QUADS);
  var sum = vec4u();
  for (var i = first + lane; i < end; i += WORKGROUP) {
    sum += x[i];
  }
  sums[index * WORKGROUP + lane] = sum.x + sum.y + sum.z + sum.w;
}
