// softmax: y = exp(x - max) / Σ exp(x - max), over each row; a prelude has x (softmax/rows.wgsl).
//
// A workgroup takes four rows, and reads them again, from a cache, to write y.
//
// y         Quad [ROWS, QUADS]   padding is written as zeros
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Rows past the end repeat the last.
  let row = (group.y * groups.x + group.x) * 4u;
  let base = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u)) * QUADS;
  let own = addedUp(base, lane);
  let factor = 1.0 / own.sum;
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let e = exponentials(load(base, quad), own.largest);
    y[base[0] + quad] = packQuad(e[0] * factor[0]);
    y[base[1] + quad] = packQuad(e[1] * factor[1]);
    y[base[2] + quad] = packQuad(e[2] * factor[2]);
    y[base[3] + quad] = packQuad(e[3] * factor[3]);
  }
}
