// norm_weight_gradient: of y = n · gain + bias, n = (x - mean) · s, dgain = Σ dy · n and dbias = Σ dy over all rows, or
// added to what is there.
//
// x           Quad [ROWS, X_QUADS]   of which the first COLUMNS columns were normalized, padding 0
// dy          Quad [ROWS, QUADS]     padding 0
// statistics  vec4f [ROWS]           mean, s
// dgain       vec4f [QUADS]          f32 whatever is stored elsewhere; padding 0
// dispatch    ceil(QUADS / COLUMN_LANES)
override INPUT_COLUMNS: u32;
override X_QUADS: u32 = (INPUT_COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> dy: array<Quad>;
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dgain: array<vec4f>;

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quad = group.x * COLUMN_LANES + local.x;
  var gains = vec4f();
  var biases = vec4f();
  if (quad < QUADS) {
    for (var row = local.y; row < ROWS; row += ROW_LANES) {
      let g = unpackQuad(dy[row * QUADS + quad]);
      let own = statistics[row];
      gains += g * ((unpackQuad(x[row * X_QUADS + quad]) - own.x) * own.y);
      biases += g;
    }
  }
  let gain_total = columnTotal(gains, local.xy);
  let bias_total = columnTotal(biases, local.xy);
  if (quad < QUADS && local.y == 0u) {
    dgain[quad] = accumulated(dgain[quad], gain_total);
    storeBias(quad, bias_total);
  }
}
