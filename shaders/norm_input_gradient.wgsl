// norm_input_gradient: of y = n · gain (+ bias), n = (x - mean) · s, s = 1 / √(mean((x - mean)²) + EPSILON), over each
// row:
//
//   dx = s · (g - mean(g) - n · mean(g · n)) (+ residual),  g = dy · gain
//
// Without CENTERED the mean of x is taken for 0, as RMS norms do, and that of g is left out. What a row's mean and s are is
// made anew, and kept for the gradients of the weights.
//
// A workgroup takes four rows, which it reads again, from a cache, for every pass. Columns that the norm did not read have
// no gradient but the residual.
//
// x           Quad [ROWS, X_QUADS]   of which the first COLUMNS columns were read, padding 0
// gain        Quad [QUADS]
// dy          Quad [ROWS, QUADS]     padding 0
// dx          Quad [ROWS, X_QUADS]   padding 0
// statistics  vec4f [ROWS]           mean, s, 0, 0
// dispatch    ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override INPUT_COLUMNS: u32;
override EPSILON: f32;
override CENTERED: u32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;
override X_QUADS: u32 = (INPUT_COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> gain: array<Quad>;
@group(0) @binding(2) var<storage, read> dy: array<Quad>;
@group(0) @binding(3) var<storage, read_write> dx: array<Quad>;
@group(0) @binding(4) var<storage, read_write> statistics: array<vec4f>;

// Quad `quad` of each row less the row's mean, a column of the matrix each; padding is 0.
fn load(base: vec4u, quad: u32, mean: vec4f) -> mat4x4f {
  let is_column = vec4f(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLUMNS));
  return mat4x4f(
    (unpackQuad(x[base[0] + quad]) - mean[0]) * is_column,
    (unpackQuad(x[base[1] + quad]) - mean[1]) * is_column,
    (unpackQuad(x[base[2] + quad]) - mean[2]) * is_column,
    (unpackQuad(x[base[3] + quad]) - mean[3]) * is_column,
  );
}

fn loadGradient(base: vec4u, quad: u32) -> mat4x4f {
  let g = unpackQuad(gain[quad]);
  return mat4x4f(
    unpackQuad(dy[base[0] + quad]) * g,
    unpackQuad(dy[base[1] + quad]) * g,
    unpackQuad(dy[base[2] + quad]) * g,
    unpackQuad(dy[base[3] + quad]) * g,
  );
}

fn dots(a: mat4x4f, b: mat4x4f) -> vec4f {
  return vec4f(dot(a[0], b[0]), dot(a[1], b[1]), dot(a[2], b[2]), dot(a[3], b[3]));
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
  let given = rows * QUADS;

  var mean = vec4f();
  if (CENTERED == 1u) {
    var sums = vec4f();
    for (var quad = lane; quad < QUADS; quad += LANES) {
      sums += vec4f(1.0) * load(base, quad, mean);
    }
    mean = total(sums, lane) / f32(COLUMNS);
  }

  var squares = vec4f();
  var products = vec4f();
  var gradients = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad, mean);
    let g = loadGradient(given, quad);
    squares += dots(v, v);
    products += dots(v, g);
    gradients += vec4f(1.0) * g;
  }
  let scale = inverseSqrt(total(squares, lane) / f32(COLUMNS) + EPSILON);
  let pull = total(products, lane) / f32(COLUMNS) * scale * scale;
  var shift = vec4f();
  if (CENTERED == 1u) {
    shift = total(gradients, lane) / f32(COLUMNS);
  }

  for (var i = lane; i < 4u; i += LANES) {
    statistics[rows[i]] = vec4f(mean[i], scale[i], 0.0, 0.0);
  }
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let is_column = vec4f(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLUMNS));
    let v = load(base, quad, mean);
    let g = loadGradient(given, quad);
    for (var i = 0u; i < 4u; i++) {
      let own = (g[i] - shift[i] * is_column - v[i] * pull[i]) * scale[i];
      dx[base[i] + quad] = packQuad(withResidual(own, base[i] + quad));
    }
  }
  for (var quad = QUADS + lane; quad < X_QUADS; quad += LANES) {
    for (var i = 0u; i < 4u; i++) {
      dx[base[i] + quad] = packQuad(withResidual(vec4f(), base[i] + quad));
    }
  }
}
