// rms_norm: y = x / √(mean(x²) + EPSILON) · gain, over each row.
//
// A workgroup takes four rows, so that each load of the gain serves four quads. Rows are read again for the
// second pass, from a cache.
//
// x         Quad [ROWS, X_QUADS]   of which the first COLUMNS columns are read, padding 0
// gain      Quad [QUADS]
// y         Quad [ROWS, QUADS]   padding stays 0
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override EPSILON: f32;
override LANES: u32;
override X_QUADS: u32;
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
  let rows = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u));
  let base = rows * X_QUADS;

  var squares = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad);
    squares += vec4f(dot(v[0], v[0]), dot(v[1], v[1]), dot(v[2], v[2]), dot(v[3], v[3]));
  }
  let scale = inverseSqrt(total(squares, lane) / f32(COLUMNS) + EPSILON);

  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad);
    let g = unpackQuad(gain[quad]);
    store(rows * QUADS, quad, mat4x4f(v[0] * scale[0] * g, v[1] * scale[1] * g, v[2] * scale[2] * g, v[3] * scale[3] * g));
  }
}
