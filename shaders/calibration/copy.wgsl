// copy: y = x, 16 bytes per invocation and step.
//
// Integers, because a float that is not a number may change on its way through a register.
//
// x         u32 [4 · QUADS]
// y         u32 [4 · QUADS]
// dispatch  groups, 1, 1; invocations stride over the quads
override QUADS: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < QUADS; i += groups.x * 64u) {
    y[i] = x[i];
  }
}
