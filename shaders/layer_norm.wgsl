// layer_norm: y = (x - mean) / √(variance + EPSILON) · gain + bias, over each row, the bias or none by a prelude.
//
// The difference of E[d²] and E[d]² loses digits where the mean of d is large, so d is the distance to a
// pivot: the mean of the first m of the row's n columns. It lies within √(n / m) standard deviations of the
// row's mean, whatever the row, which bounds the loss by a factor of 1 + n / m.
//
// As in rms_norm a workgroup takes four rows, and reads them twice.
//
// x         Quad [ROWS, QUADS]   of COLUMNS columns, padding 0
// gain      Quad [QUADS]         padding 0
// y         Quad [ROWS, QUADS]   padding stays 0, since gain and bias are 0 there
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override EPSILON: f32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> gain: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

// Quad `quad` of each row, a column of the matrix each.
fn load(base: vec4u, quad: u32) -> mat4x4f {
  return mat4x4f(
    unpackQuad(x[base[0] + quad]),
    unpackQuad(x[base[1] + quad]),
    unpackQuad(x[base[2] + quad]),
    unpackQuad(x[base[3] + quad]),
  );
}

fn store(base: vec4u, quad: u32, rows: mat4x4f) {
  y[base[0] + quad] = packQuad(rows[0]);
  y[base[1] + quad] = packQuad(rows[1]);
  y[base[2] + quad] = packQuad(rows[2]);
  y[base[3] + quad] = packQuad(rows[3]);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Rows past the end repeat the last.
  let row = (group.y * groups.x + group.x) * 4u;
  let base = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u)) * QUADS;

  var first = vec4f();
  if (lane < QUADS) {
    first = vec4f(1.0) * load(base, lane);
  }
  let pivot = total(first, lane) / f32(min(4u * LANES, COLUMNS));

  var sums = vec4f();
  var squares = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let is_column = vec4f(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLUMNS));
    let v = load(base, quad);
    let d0 = (v[0] - pivot[0]) * is_column;
    let d1 = (v[1] - pivot[1]) * is_column;
    let d2 = (v[2] - pivot[2]) * is_column;
    let d3 = (v[3] - pivot[3]) * is_column;
    sums += vec4f(1.0) * mat4x4f(d0, d1, d2, d3);
    squares += vec4f(dot(d0, d0), dot(d1, d1), dot(d2, d2), dot(d3, d3));
  }
  let distance = total(sums, lane) / f32(COLUMNS);
  let square = total(squares, lane) / f32(COLUMNS);
  let mean = pivot + distance;
  let scale = inverseSqrt(max(square - distance * distance, vec4f()) + EPSILON);

  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad);
    let g = unpackQuad(gain[quad]);
    let shift = shiftOf(quad);
    store(base, quad, mat4x4f(
      fma((v[0] - mean[0]) * scale[0], g, shift),
      fma((v[1] - mean[1]) * scale[1], g, shift),
      fma((v[2] - mean[2]) * scale[2], g, shift),
      fma((v[3] - mean[3]) * scale[3], g, shift),
    ));
  }
}
