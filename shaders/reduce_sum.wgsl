// reduce_sum: y[i] = x[0, i] + x[1, i] + …, in f32 and in piece order, so that ranks that sum the same
// pieces get the same bits.
//
// x         Quad [PIECES, QUADS]   pieces of a collective, one after the other
// y         Quad [QUADS]
// dispatch  one invocation per quad of y, WORKGROUP to a workgroup, workgroups folded over x and y
override PIECES: u32;
override ELEMENTS: u32;
override WORKGROUP: u32;
override QUADS: u32 = ELEMENTS / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (i >= QUADS) {
    return;
  }
  var sum = unpackQuad(x[i]);
  for (var piece = 1u; piece < PIECES; piece++) {
    sum += unpackQuad(x[piece * QUADS + i]);
  }
  y[i] = packQuad(sum);
}
