// aggregate: y[g] = SCALE · (x[g · GROUP] + … + x[g · GROUP + GROUP - 1]), row by row; a mean where SCALE
// is 1 / GROUP.
//
// x         Quad [ROWS, QUADS]           ROWS is a multiple of GROUP
// y         Quad [ROWS / GROUP, QUADS]   padding stays 0
// dispatch  one invocation per quad of y, WORKGROUP to a workgroup, workgroups folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override GROUP: u32;
override SCALE: f32;
override WORKGROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (i >= ROWS / GROUP * QUADS) {
    return;
  }
  let first = i / QUADS * GROUP * QUADS + i % QUADS;
  var sum = vec4f();
  for (var row = 0u; row < GROUP; row++) {
    sum += unpackQuad(x[first + row * QUADS]);
  }
  y[i] = packQuad(SCALE * sum);
}
