// head_norm_gradient: of heads of queries and keys that were normalized, y = n · gain, n = (x - mean) · s, s = 1 / √(mean((x -
// mean)²) + EPSILON):
//
//   dx = s · (g - mean(g) - n · mean(g · n)),  g = dy · gain
//
// Without CENTERED the mean of x is taken for 0, and that of g is left out. Means are over a head, or if GIVEN over all heads,
// of which rotary/squares.wgsl and head_norms/products.wgsl have them. An invocation, or LANES of them, takes one head of one
// token; those of keys also pass on what lies behind: values.
//
// x           Quad [ROWS, ROW_QUADS]    of each token queries, then keys, then values
// dy          Quad [ROWS, ROW_QUADS]    of queries and keys what came of them
// dx          Quad [ROWS, ROW_QUADS]
// statistics  vec2f [ROWS, ALL_HEADS]   mean, s
// dispatch    ceil(ROWS · ALL_HEADS · LANES / WORKGROUP) workgroups, folded over x and y
override ROWS: u32;
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;
override COLUMNS: u32;
override EPSILON: f32;
override CENTERED: u32;
override GIVEN: u32;
override LANES: u32;      // a power of two
override WORKGROUP: u32;
override HEAD_QUADS: u32 = HEAD_DIM / 4u;
override ROW_QUADS: u32 = COLUMNS / 4u;
override ALL_HEADS: u32 = HEADS + KV_HEADS;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> dy: array<Quad>;
@group(0) @binding(2) var<storage, read_write> dx: array<Quad>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * (WORKGROUP / LANES) + lane / LANES;
  // Past the end there is the last again, so that all of a workgroup reach its barriers.
  let real = min(at, ROWS * ALL_HEADS - 1u);
  let token = real / ALL_HEADS;
  let head = real % ALL_HEADS;
  let base = token * ROW_QUADS + head * HEAD_QUADS;
  let first = lane % LANES;
  let size = f32(HEAD_DIM);

  var mean = 0.0;
  if (CENTERED == 1u) {
    var sum = 0.0;
    for (var quad = first; quad < HEAD_QUADS; quad += LANES) {
      sum += dot(unpackQuad(x[base + quad]), vec4f(1.0));
    }
    mean = sumOfLanes(sum, lane) / size;
  }
  var square = meanSquare(token, head < HEADS);
  var product = meanProduct(token, head < HEADS);
  var shift = 0.0;
  if (GIVEN == 0u) {
    var squares = 0.0;
    var products = 0.0;
    var gradients = 0.0;
    for (var quad = first; quad < HEAD_QUADS; quad += LANES) {
      let value = unpackQuad(x[base + quad]) - mean;
      let given = unpackQuad(dy[base + quad]) * gainQuad(head, quad);
      squares += dot(value, value);
      products += dot(value, given);
      gradients += dot(given, vec4f(1.0));
    }
    square = sumOfLanes(squares, lane) / size;
    product = sumOfLanes(products, lane) / size;
    if (CENTERED == 1u) {
      shift = sumOfLanes(gradients, lane) / size;
    }
  }
  if (at >= ROWS * ALL_HEADS) {
    return;
  }
  let scale = inverseSqrt(square + EPSILON);
  let pull = product * scale * scale;
  for (var quad = first; quad < HEAD_QUADS; quad += LANES) {
    let value = unpackQuad(x[base + quad]) - mean;
    let given = unpackQuad(dy[base + quad]) * gainQuad(head, quad);
    dx[base + quad] = packQuad((given - shift - value * pull) * scale);
  }
  if (first == 0u) {
    statistics[real] = vec2f(mean, scale);
  }
  // Values, shared out among the keys' heads.
  if (head >= HEADS) {
    let behind = ALL_HEADS * HEAD_QUADS;
    for (var quad = behind + (head - HEADS) * LANES + first; quad < ROW_QUADS; quad += KV_HEADS * LANES) {
      dx[token * ROW_QUADS + quad] = dy[token * ROW_QUADS + quad];
    }
  }
}
