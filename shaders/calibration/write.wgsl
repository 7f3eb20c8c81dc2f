// write: y = a pattern that follows from the place, 16 bytes per invocation and step.
//
// y         u32 [4 · QUADS]   word k of quad i is i + k
// dispatch  groups, 1, 1; invocations stride over the quads
override QUADS: u32;

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < QUADS; i += groups.x * 64u) {
    y[i] = vec4u(i, i + 1u, i + 2u, i + 3u);
  }
}
