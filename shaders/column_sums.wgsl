// column_sums: y = Σ x over all rows, or y += it: the gradient of a bias; a prelude says which rows, where sums of several
// parts lie one after the other. Always the same rows in the same order.
//
// x         Quad [ROWS, QUADS]    padding 0
// y         vec4f [parts, QUADS]  f32 whatever is stored elsewhere; padding 0
// dispatch  ceil(QUADS / COLUMN_LANES), 1, parts
@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quad = group.x * COLUMN_LANES + local.x;
  let rows = rowsOf(group.z);
  var sum = vec4f();
  if (quad < QUADS) {
    for (var row = rows.x + local.y; row < rows.y; row += ROW_LANES) {
      sum += unpackQuad(x[row * QUADS + quad]);
    }
  }
  let total = columnTotal(sum, local.xy);
  if (quad < QUADS && local.y == 0u) {
    let at = group.z * QUADS + quad;
    y[at] = accumulated(y[at], total);
  }
}
