// read_blocks: sums[i] = the sum, modulo 2³², of the quads that invocation i meets, four per step.
//
// As read, with four loads under way at once. The quads of one step lie a workgroup's width apart, so that
// neighbours load neighbours.
//
// x         u32 [4 · QUADS]     QUADS is a multiple of 256
// sums      u32 [invocations]   all of them together are the sum of x
// dispatch  groups, 1, 1; workgroups stride over blocks of 256 quads
override QUADS: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3u,
) {
  var sum = vec4u();
  for (var i = group.x * 256u + lane; i < QUADS; i += groups.x * 256u) {
    sum += (x[i] + x[i + 64u]) + (x[i + 128u] + x[i + 192u]);
  }
  sums[group.x * 64u + lane] = sum.x + sum.y + sum.z + sum.w;
}
