// loss_statistics: of each row of logits what a softmax over all ranks' columns needs: the largest, the sum of the
// exponentials of what the others are below it, and the label's logit, if it is here.
//
// A workgroup takes four rows. The largest value and the sum are found in one pass: whenever a lane meets a larger value,
// its sum shrinks to the new scale.
//
// logits      Quad [ROWS, QUADS]   of COLUMNS columns, the classes from FIRST_COLUMN on
// labels      u32 [ROWS]
// statistics  vec4f [ROWS]         largest, sum, label's logit, 1 where the label is here
// dispatch    ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override FIRST_COLUMN: u32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> logits: array<Quad>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;

// Its exponential is 0 beside that of any value.
const LOWEST = -3e38;

// Quad `quad` of each row, a column of the matrix each; padding is LOWEST.
fn load(base: vec4u, quad: u32) -> mat4x4f {
  let is_column = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLUMNS);
  return mat4x4f(
    select(vec4f(LOWEST), unpackQuad(logits[base[0] + quad]), is_column),
    select(vec4f(LOWEST), unpackQuad(logits[base[1] + quad]), is_column),
    select(vec4f(LOWEST), unpackQuad(logits[base[2] + quad]), is_column),
    select(vec4f(LOWEST), unpackQuad(logits[base[3] + quad]), is_column),
  );
}

fn largestOf(v: vec4f) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn sumOf(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
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
  let base = rows * QUADS;

  var top = vec4f(LOWEST);
  var sum = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad);
    let above = vec4f(largestOf(v[0]), largestOf(v[1]), largestOf(v[2]), largestOf(v[3]));
    if (any(above > top)) {
      let higher = max(above, top);
      sum *= exp(top - higher);
      top = higher;
    }
    sum += vec4f(
      sumOf(exp(v[0] - top[0])),
      sumOf(exp(v[1] - top[1])),
      sumOf(exp(v[2] - top[2])),
      sumOf(exp(v[3] - top[3])),
    );
  }
  let highest = largest(top, lane);
  let sums = total(sum * exp(top - highest), lane);

  if (lane < 4u) {
    let own = min(row + lane, ROWS - 1u);
    // A label below the columns wraps to a large number, so one comparison covers both sides.
    let column = labels[own] - FIRST_COLUMN;
    let is_here = column < COLUMNS;
    let at = select(0u, column, is_here);
    let logit = unpackQuad(logits[own * QUADS + at / 4u])[at % 4u];
    statistics[own] = vec4f(highest[lane], sums[lane], select(0.0, logit, is_here), select(0.0, 1.0, is_here));
  }
}
