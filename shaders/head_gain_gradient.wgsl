// head_gain_gradient: of heads of queries and keys that were normalized and multiplied by gains, Σ dy · (x - mean) · s over all
// rows, and where heads share gains over those heads, or added to what is there.
//
// x           Quad [ROWS, ROW_QUADS]    of each token queries, then keys, then what is not read
// dy          Quad [ROWS, ROW_QUADS]
// statistics  vec2f [ROWS, ALL_HEADS]   mean, s
// dgains      vec4f [QUADS]             [ALL_HEADS, HEAD_QUADS] if OWN_GAINS, else [2, HEAD_QUADS]
// dispatch    ceil(QUADS / COLUMN_LANES)
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;
override ROW_COLUMNS: u32;
override OWN_GAINS: u32;
override HEAD_QUADS: u32 = HEAD_DIM / 4u;
override ROW_QUADS: u32 = ROW_COLUMNS / 4u;
override ALL_HEADS: u32 = HEADS + KV_HEADS;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> dy: array<Quad>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> dgains: array<vec4f>;

// Which heads a part of the gains is for: the first, and how many.
fn headsOf(part: u32) -> vec2u {
  if (OWN_GAINS == 1u) {
    return vec2u(part, 1u);
  }
  return select(vec2u(HEADS, KV_HEADS), vec2u(0u, HEADS), part == 0u);
}

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quad = group.x * COLUMN_LANES + local.x;
  let heads = headsOf(quad / HEAD_QUADS);
  var gains = vec4f();
  if (quad < QUADS) {
    for (var i = local.y; i < ROWS * heads.y; i += ROW_LANES) {
      let row = i / heads.y;
      let head = heads.x + i % heads.y;
      let at = row * ROW_QUADS + head * HEAD_QUADS + quad % HEAD_QUADS;
      let own = statistics[row * ALL_HEADS + head];
      gains += unpackQuad(dy[at]) * ((unpackQuad(x[at]) - own.x) * own.y);
    }
  }
  let total = columnTotal(gains, local.xy);
  if (quad < QUADS && local.y == 0u) {
    dgains[quad] = accumulated(dgains[quad], total);
  }
}
