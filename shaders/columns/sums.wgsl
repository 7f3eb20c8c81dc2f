// Sums over the rows of a workgroup's columns, into f32 that is written over or added to.
override ROWS: u32;
override COLUMNS: u32;
override ACCUMULATE: u32;
override COLUMN_LANES: u32;  // a workgroup is COLUMN_LANES · ROW_LANES invocations
override ROW_LANES: u32;     // a power of two
override LANES: u32 = COLUMN_LANES * ROW_LANES;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

var<workgroup> shares: array<vec4f, LANES>;  // [ROW_LANES, COLUMN_LANES]

// The total of the shares of a column, in the invocations of the first row; to be called by all of the workgroup.
fn columnTotal(share: vec4f, local: vec2u) -> vec4f {
  if (ROW_LANES == 1u) {
    return share;
  }
  let own = local.y * COLUMN_LANES + local.x;
  workgroupBarrier();
  shares[own] = share;
  for (var half = ROW_LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local.y < half) {
      shares[own] += shares[own + half * COLUMN_LANES];
    }
  }
  return shares[own];
}

// What is stored of a total.
fn accumulated(before: vec4f, total: vec4f) -> vec4f {
  return select(total, before + total, ACCUMULATE == 1u);
}
