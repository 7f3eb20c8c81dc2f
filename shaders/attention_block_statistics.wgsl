// attention_block_statistics: of each query and head what attention over blocks of keys found of its scores, and the product
// of its result with the result's gradient.
//
// logarithms  f32 [ROWS]                   of the sums of exponentials of scores, to base 2
// y           Quad [ROWS, VALUE_QUADS]     what attention gave
// dy          Quad [ROWS, VALUE_QUADS]     its gradient
// statistics  vec2f [ROWS]
// dispatch    one invocation per row, WORKGROUP to a workgroup, workgroups folded over x and y
override ROWS: u32;  // of all heads
override VALUE_QUADS: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> logarithms: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<Quad>;
@group(0) @binding(2) var<storage, read> dy: array<Quad>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (row >= ROWS) {
    return;
  }
  var product = 0.0;
  for (var at = row * VALUE_QUADS; at < (row + 1u) * VALUE_QUADS; at++) {
    product += dot(unpackQuad(y[at]), unpackQuad(dy[at]));
  }
  statistics[row] = vec2f(logarithms[row], product);
}
