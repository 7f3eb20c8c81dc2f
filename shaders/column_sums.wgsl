// column_sums: y = Σ x over all rows, or y += it: the gradient of a bias, and the second stage of other sums.
//
// x is declared in columns/stored or columns/f32; always the same rows in the same order.
//
// y         vec4f [QUADS]   f32 whatever is stored elsewhere; padding 0
// dispatch  ceil(QUADS / COLUMN_LANES)
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quad = group.x * COLUMN_LANES + local.x;
  var sum = vec4f();
  if (quad < QUADS) {
    for (var row = local.y; row < ROWS; row += ROW_LANES) {
      sum += termOf(row * QUADS + quad);
    }
  }
  let total = columnTotal(sum, local.xy);
  if (quad < QUADS && local.y == 0u) {
    y[quad] = accumulated(y[quad], total);
  }
}
