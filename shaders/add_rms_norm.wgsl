// add_rms_norm: sum = SCALE · a + b, and y = sum / √(mean(sum²) + EPSILON) · gain, over each row.
//
// A residual and the norm that follows, in one pass; as rms_norm otherwise. The sum is read again for the
// second pass, from a cache.
//
// a         Quad [ROWS, QUADS]   of COLUMNS columns, padding 0
// b         Quad [ROWS, QUADS]   likewise
// gain      Quad [QUADS]
// sum       Quad [ROWS, QUADS]   padding stays 0 = 0 + 0
// y         Quad [ROWS, QUADS]   padding stays 0
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override EPSILON: f32;
override SCALE: f32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> a: array<Quad>;
@group(0) @binding(1) var<storage, read> b: array<Quad>;
@group(0) @binding(2) var<storage, read> gain: array<Quad>;
@group(0) @binding(3) var<storage, read_write> sum: array<Quad>;
@group(0) @binding(4) var<storage, read_write> y: array<Quad>;

// Their sum, as it is stored: the norm is of what the next residual reads.
fn addQuad(i: u32) -> vec4f {
  let stored = packQuad(SCALE * unpackQuad(a[i]) + unpackQuad(b[i]));
  sum[i] = stored;
  return unpackQuad(stored);
}

fn add(base: vec4u, quad: u32) -> mat4x4f {
  return mat4x4f(
    addQuad(base[0] + quad),
    addQuad(base[1] + quad),
    addQuad(base[2] + quad),
    addQuad(base[3] + quad),
  );
}

// Quad `quad` of each row, a column of the matrix each.
fn load(base: vec4u, quad: u32) -> mat4x4f {
  return mat4x4f(
    unpackQuad(sum[base[0] + quad]),
    unpackQuad(sum[base[1] + quad]),
    unpackQuad(sum[base[2] + quad]),
    unpackQuad(sum[base[3] + quad]),
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

  var squares = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = add(base, quad);
    squares += vec4f(dot(v[0], v[0]), dot(v[1], v[1]), dot(v[2], v[2]), dot(v[3], v[3]));
  }
  let scale = inverseSqrt(total(squares, lane) / f32(COLUMNS) + EPSILON);

  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad);
    let g = unpackQuad(gain[quad]);
    store(base, quad, mat4x4f(v[0] * scale[0] * g, v[1] * scale[1] * g, v[2] * scale[2] * g, v[3] * scale[3] * g));
  }
}
