// rms_norm: y = x / √(mean(x²) + EPSILON) · gain, over each row.
//
// ROW_LANES lanes share a row and a workgroup takes ROWS_PER_GROUP rows, so that one barrier serves many
// rows and neighbouring lanes still read neighbouring quads.
//
// x         Quad [ROWS, QUADS]   of COLUMNS columns, padding 0
// gain      Quad [QUADS]
// y         Quad [ROWS, QUADS]   padding stays 0
// dispatch  ceil(ROWS / ROWS_PER_GROUP) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override EPSILON: f32;
override ROW_LANES: u32;
override ROWS_PER_GROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> gain: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

var<workgroup> lane_squares: array<f32, ROW_LANES * ROWS_PER_GROUP>;

@compute @workgroup_size(ROW_LANES, ROWS_PER_GROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.y * groups.x + group.x) * ROWS_PER_GROUP + local.y;
  // Rows past the end repeat the last: every invocation must reach the barrier.
  let base = min(row, ROWS - 1u) * QUADS;

  var squares = vec4f();
  for (var quad = local.x; quad < QUADS; quad += ROW_LANES) {
    let v = unpackQuad(x[base + quad]);
    squares = fma(v, v, squares);
  }
  lane_squares[local.y * ROW_LANES + local.x] = dot(squares, vec4f(1.0));
  workgroupBarrier();

  var sum = 0.0;
  for (var lane = 0u; lane < ROW_LANES; lane++) {
    sum += lane_squares[local.y * ROW_LANES + lane];
  }
  let scale = inverseSqrt(sum / f32(COLUMNS) + EPSILON);
  if (row >= ROWS) {
    return;
  }
  for (var quad = local.x; quad < QUADS; quad += ROW_LANES) {
    y[base + quad] = packQuad(unpackQuad(x[base + quad]) * scale * unpackQuad(gain[quad]));
  }
}
