// reduce_sum: y[i] = x[0, i] + x[1, i] + …, in f32 and in piece order, so that ranks that sum the same
// pieces get the same bits. The first pieces are written out: a loop in the loop takes CPUs twice as long.
//
// x         Quad [PIECES, QUADS]   pieces of a collective, one after the other
// y         Quad [QUADS]           of the last quad, what lies beyond ELEMENTS is kept
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override PIECES: u32;
override ELEMENTS: u32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (ELEMENTS + 3u) / 4u;
override REST: u32 = ELEMENTS % 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    var sum = unpackQuad(x[i]);
    if (PIECES > 1u) {
      sum += unpackQuad(x[QUADS + i]);
    }
    if (PIECES > 2u) {
      sum += unpackQuad(x[2u * QUADS + i]);
    }
    if (PIECES > 3u) {
      sum += unpackQuad(x[3u * QUADS + i]);
    }
    if (PIECES > 4u) {
      for (var piece = 4u; piece < PIECES; piece++) {
        sum += unpackQuad(x[piece * QUADS + i]);
      }
    }
    if (REST != 0u && i == QUADS - 1u) {
    sum = select(unpackQuad(y[i]), sum, vec4u(0u, 1u, 2u, 3u) < vec4u(REST));
  }
  y[i] = packQuad(sum);
  }
}
