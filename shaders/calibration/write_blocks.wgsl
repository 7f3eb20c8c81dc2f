// write_blocks: y = a pattern that follows from the place, four quads of 16 bytes per invocation and step.
//
// As write; the quads of one step lie a workgroup's width apart, so that neighbours write neighbours.
//
// y         u32 [4 · QUADS]   word k of quad i is i + k; QUADS is a multiple of 256
// dispatch  groups, 1, 1; workgroups stride over blocks of 256 quads
override QUADS: u32;

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3u,
) {
  let word = vec4u(0, 1, 2, 3);
  for (var i = group.x * 256u + lane; i < QUADS; i += groups.x * 256u) {
    y[i] = i + word;
    y[i + 64u] = i + 64u + word;
    y[i + 128u] = i + 128u + word;
    y[i + 192u] = i + 192u + word;
  }
}
