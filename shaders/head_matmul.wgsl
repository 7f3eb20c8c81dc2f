// head_matmul: y[row, head] = x[row, head] · w[head], then what is kept of x[row, head]. How w lies says a prelude of
// head_weights/.
//
// An invocation takes a quad of a head's columns, of four rows.
//
// x         Quad [ROWS, HEADS, K_QUADS + KEPT_QUADS]
// w         Quad, see head_weights/
// y         Quad [ROWS, HEADS, N_QUADS + KEPT_QUADS]
// dispatch  one invocation per quad of y and four rows, WORKGROUP to a workgroup, workgroups folded over x and y
override ROWS: u32;
override HEADS: u32;
override K_QUADS: u32;
override N_QUADS: u32;
override KEPT_QUADS: u32;
override W_PITCH: u32;
override W_FIRST: u32;
override W_STEP: u32;
override WORKGROUP: u32;
override X_QUADS: u32 = K_QUADS + KEPT_QUADS;
override Y_QUADS: u32 = N_QUADS + KEPT_QUADS;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let column = i % Y_QUADS;
  let head = i / Y_QUADS % HEADS;
  let first_row = i / Y_QUADS / HEADS * 4u;
  if (first_row >= ROWS) {
    return;
  }
  let rows = min(vec4u(first_row) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u));
  let base = (rows * HEADS + head) * X_QUADS;
  var sums: mat4x4f;
  if (column < N_QUADS) {
    for (var k = 0u; k < K_QUADS; k++) {
      let own = mat4x4f(
        unpackQuad(x[base[0] + k]),
        unpackQuad(x[base[1] + k]),
        unpackQuad(x[base[2] + k]),
        unpackQuad(x[base[3] + k]),
      );
      sums += productsOf(own, head, column, k);
    }
  } else {
    let kept = K_QUADS + column - N_QUADS;
    for (var row = 0u; row < 4u; row++) {
      sums[row] = unpackQuad(x[base[row] + kept]);
    }
  }
  for (var row = 0u; row < min(4u, ROWS - first_row); row++) {
    y[((first_row + row) * HEADS + head) * Y_QUADS + column] = packQuad(sums[row]);
  }
}
