// copy_blocks: y = x, four quads of 16 bytes per invocation and step.
//
// As copy, with four loads under way before the first store. The quads of one step lie a workgroup's width
// apart, so that neighbours load neighbours.
//
// x         u32 [4 · QUADS]   QUADS is a multiple of 256
// y         u32 [4 · QUADS]
// dispatch  groups, 1, 1; workgroups stride over blocks of 256 quads
override QUADS: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var i = group.x * 256u + lane; i < QUADS; i += groups.x * 256u) {
    let q0 = x[i];
    let q1 = x[i + 64u];
    let q2 = x[i + 128u];
    let q3 = x[i + 192u];
    y[i] = q0;
    y[i + 64u] = q1;
    y[i + 128u] = q2;
    y[i + 192u] = q3;
  }
}
