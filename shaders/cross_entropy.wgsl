// cross_entropy: losses[row] = −log softmax(logits)[label]; a prelude of losses/ puts the blocks' statistics together.
//
// losses    f32 [ROWS]   and zeros up to a whole number of quads
// dispatch  an invocation for each element of losses, folded over x and y
override ROWS: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> losses: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (row >= (ROWS + 3u) / 4u * 4u) {
    return;
  }
  if (row >= ROWS) {
    losses[row] = 0.0;
    return;
  }
  let all = statisticsOf(row);
  losses[row] = log(all.sum) + (all.largest - all.label);
}
