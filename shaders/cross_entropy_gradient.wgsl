// cross_entropy_gradient: dx = SCALE · (softmax(logits) − 1 where the column is the label's); a prelude of losses/ puts the
// blocks' statistics together.
//
// logits    Quad [ROWS, QUADS]   of COLUMNS columns, the classes from FIRST_COLUMN on
// labels    u32 [ROWS]
// dx        Quad [ROWS, QUADS]   padding is written as zeros
// dispatch  ROWS workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override FIRST_COLUMN: u32;
override SCALE: f32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> logits: array<Quad>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<Quad>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= ROWS) {
    return;
  }
  let all = statisticsOf(row);
  let factor = SCALE / all.sum;
  let label = labels[row] - FIRST_COLUMN;
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let columns = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    let share = factor * exp(unpackQuad(logits[row * QUADS + quad]) - all.largest);
    let gradient = select(share, share - SCALE, columns == vec4u(label));
    dx[row * QUADS + quad] = packQuad(select(vec4f(), gradient, columns < vec4u(COLUMNS)));
  }
}
