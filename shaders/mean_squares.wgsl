// mean_squares: what the queries and the keys of this rank add to the mean of the squares of all heads, or of the products with
// other factors, as factors/itself.wgsl or factors/weighted_gradient.wgsl have them.
//
// A workgroup takes four rows.
//
// x         Quad [ROWS, X_QUADS]   of each token QUERY_QUADS of queries, then KEY_QUADS of keys, then what is not read
// y         vec4f [ROWS]   QUERY_SHARE · Σ q · factor, KEY_SHARE · Σ k · factor, 0, 0
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override X_QUADS: u32;
override QUERY_QUADS: u32;
override KEY_QUADS: u32;
override QUERY_SHARE: f32;
override KEY_SHARE: f32;
override LANES: u32;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

// Of the quads from `first` up to `end` that are this lane's, of each row.
fn squaresOf(base: vec4u, first: u32, end: u32) -> vec4f {
  var squares = vec4f();
  for (var quad = first; quad < end; quad += LANES) {
    let a = unpackQuad(x[base[0] + quad]);
    let b = unpackQuad(x[base[1] + quad]);
    let c = unpackQuad(x[base[2] + quad]);
    let d = unpackQuad(x[base[3] + quad]);
    squares += vec4f(
      dot(a, factorOf(a, base[0] + quad, quad)),
      dot(b, factorOf(b, base[1] + quad, quad)),
      dot(c, factorOf(c, base[2] + quad, quad)),
      dot(d, factorOf(d, base[3] + quad, quad)),
    );
  }
  return squares;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Rows past the end repeat the last.
  let rows = min(vec4u((group.y * groups.x + group.x) * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u));
  let base = rows * X_QUADS;
  let queries = total(squaresOf(base, lane, QUERY_QUADS), lane) * QUERY_SHARE;
  let keys = total(squaresOf(base, QUERY_QUADS + lane, QUERY_QUADS + KEY_QUADS), lane) * KEY_SHARE;
  if (lane < 4u) {
    y[rows[lane]] = vec4f(queries[lane], keys[lane], 0.0, 0.0);
  }
}
