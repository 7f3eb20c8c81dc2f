// read: sums[i] = the sum, modulo 2³², of the quads that invocation i meets as it strides over x.
//
// x         u32 [4 · QUADS]
// sums      u32 [invocations]   all of them together are the sum of x
// dispatch  groups, 1, 1; invocations stride over the quads
override QUADS: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var sum = vec4u();
  for (var i = id.x; i < QUADS; i += groups.x * 64u) {
    sum += x[i];
  }
  sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}
