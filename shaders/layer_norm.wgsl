// layer_norm: y = (x - mean) / √(variance + EPSILON) · gain + bias, over each row.
//
// The variance is taken from the deviations, in a pass of its own: the difference of E[x²] and mean²
// loses all digits where the mean is large. Lanes share rows as in rms_norm.
//
// x         Quad [ROWS, QUADS]   of COLUMNS columns, padding 0
// gain      Quad [QUADS]         padding 0
// bias      Quad [QUADS]         padding 0
// y         Quad [ROWS, QUADS]   padding stays 0, since gain and bias are 0 there
// dispatch  ceil(ROWS / ROWS_PER_GROUP) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override EPSILON: f32;
override ROW_LANES: u32;
override ROWS_PER_GROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> gain: array<Quad>;
@group(0) @binding(2) var<storage, read> bias: array<Quad>;
@group(0) @binding(3) var<storage, read_write> y: array<Quad>;

var<workgroup> lane_sums: array<f32, ROW_LANES * ROWS_PER_GROUP>;
var<workgroup> lane_squares: array<f32, ROW_LANES * ROWS_PER_GROUP>;

@compute @workgroup_size(ROW_LANES, ROWS_PER_GROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.y * groups.x + group.x) * ROWS_PER_GROUP + local.y;
  // Rows past the end repeat the last: every invocation must reach the barriers.
  let base = min(row, ROWS - 1u) * QUADS;
  let slots = local.y * ROW_LANES;

  var sums = vec4f();
  for (var quad = local.x; quad < QUADS; quad += ROW_LANES) {
    sums += unpackQuad(x[base + quad]);
  }
  lane_sums[slots + local.x] = dot(sums, vec4f(1.0));
  workgroupBarrier();
  var sum = 0.0;
  for (var lane = 0u; lane < ROW_LANES; lane++) {
    sum += lane_sums[slots + lane];
  }
  let mean = sum / f32(COLUMNS);

  var squares = vec4f();
  for (var quad = local.x; quad < QUADS; quad += ROW_LANES) {
    let columns = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    let deviation = unpackQuad(x[base + quad]) - mean;
    squares += select(vec4f(), deviation * deviation, columns < vec4u(COLUMNS));
  }
  lane_squares[slots + local.x] = dot(squares, vec4f(1.0));
  workgroupBarrier();
  var square_sum = 0.0;
  for (var lane = 0u; lane < ROW_LANES; lane++) {
    square_sum += lane_squares[slots + lane];
  }
  let scale = inverseSqrt(square_sum / f32(COLUMNS) + EPSILON);

  if (row >= ROWS) {
    return;
  }
  for (var quad = local.x; quad < QUADS; quad += ROW_LANES) {
    let normal = (unpackQuad(x[base + quad]) - mean) * scale;
    y[base + quad] = packQuad(fma(normal, unpackQuad(gain[quad]), unpackQuad(bias[quad])));
  }
}
