// loss_statistics: of each row of logits what a softmax over all ranks' columns needs: the largest, the sum of the
// exponentials of what the others are below it, and the label's logit, if it is here. A prelude has the logits x, whose
// columns are the classes from FIRST_COLUMN on (softmax/rows.wgsl).
//
// labels      u32 [ROWS]
// statistics  vec4f [ROWS]         largest, sum, label's logit, 1 where the label is here
// dispatch    ceil(ROWS / 4) workgroups, folded over x and y
override FIRST_COLUMN: u32;

@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Rows past the end repeat the last.
  let row = (group.y * groups.x + group.x) * 4u;
  let rows = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u));
  let found = addedUp(rows * QUADS, lane);
  if (lane < 4u) {
    let own = min(row + lane, ROWS - 1u);
    // A label below the columns wraps to a large number, so one comparison covers both sides.
    let column = labels[own] - FIRST_COLUMN;
    let is_here = column < COLUMNS;
    let at = select(0u, column, is_here);
    let logit = unpackQuad(x[own * QUADS + at / 4u])[at % 4u];
    statistics[own] =
      vec4f(found.largest[lane], found.sum[lane], select(0.0, logit, is_here), select(0.0, 1.0, is_here));
  }
}
