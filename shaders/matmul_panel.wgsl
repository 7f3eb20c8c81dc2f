// matmul_panel: y = finish(x · w), as matmul, row by row on adapters that are CPUs, where reading w is all that takes time.
//
// Who reads a strip of w from its first row to its last meets another page of memory with every row, and no line that was
// fetched ahead. So a workgroup, which is one subgroup, walks along panels of 16 rows of w: the quads of x that meet a panel
// stay in registers, and the sums of all QUADS columns wait in workgroup memory for the next panel. Each lane has columns of
// its own, so that nobody waits for another.
//
// y         [rows, N_QUADS], rows Y_QUADS apart, which `results` declares
// dispatch  workgroups for the rows, fewer of which take turns; ceil(N_QUADS / QUADS); parts
override N: u32;
override K: u32;
override QUADS: u32;  // of columns, of a workgroup
override LANES: u32;  // invocations of a workgroup
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;

var<workgroup> sums: array<Vector, QUADS>;

// Quad `k` of one row of x; zeros from the end of k on.
fn input(start: u32, k: u32) -> Vector {
  return select(Vector(), inputQuad(start, min(k, K_QUADS - 1u)), k < K_QUADS);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let part = partOf(group.z);
  let first = group.y * QUADS;
  let quads = min(QUADS, N_QUADS - first);
  let last = K_QUADS - 1u;
  for (var row = part.first + group.x; row < part.end; row += groups.x) {
    let start = inputStart(part, row, 0u);
    for (var k = 0u; k < K_QUADS; k += 4u) {
      let a = input(start, k);
      let b = input(start, k + 1u);
      let c = input(start, k + 2u);
      let d = input(start, k + 3u);
      for (var i = lane; i < quads; i += LANES) {
        let weights = weightStart(part, first + i);
        let before = select(sums[i], Vector(), k == 0u);
        sums[i] = before + weightBlock(weights, k) * a + weightBlock(weights, min(k + 1u, last)) * b +
          weightBlock(weights, min(k + 2u, last)) * c + weightBlock(weights, min(k + 3u, last)) * d;
      }
    }
    for (var i = lane; i < quads; i += LANES) {
      let column = first + i;
      writeResult(placeOf(row, column), finish(part, vec4f(sums[i]), row, column));
    }
  }
}
