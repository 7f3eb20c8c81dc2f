// squared_error: losses[row] = ½ · Σ (x − targets)², over each row. A workgroup takes four rows.
//
// x         Quad [ROWS, QUADS]   padding 0
// targets   Quad [ROWS, QUADS]   padding 0
// losses    vec4f [ceil(ROWS / 4)]   past the last row zeros
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> targets: array<Quad>;
@group(0) @binding(2) var<storage, read_write> losses: array<vec4f>;

fn squareOf(at: u32) -> f32 {
  let difference = unpackQuad(x[at]) - unpackQuad(targets[at]);
  return dot(difference, difference);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * 4u;
  let rows = vec4u(first) + vec4u(0u, 1u, 2u, 3u);
  let base = min(rows, vec4u(ROWS - 1u)) * QUADS;
  var sum = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    sum += vec4f(
      squareOf(base[0] + quad),
      squareOf(base[1] + quad),
      squareOf(base[2] + quad),
      squareOf(base[3] + quad),
    );
  }
  let all = 0.5 * total(sum, lane);
  if (lane == 0u && first < ROWS) {
    losses[first / 4u] = select(vec4f(), all, rows < vec4u(ROWS));
  }
}
