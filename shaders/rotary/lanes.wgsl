// Sums over the lanes of a head. Its shader says how many LANES a head has, and how many invocations a WORKGROUP.

var<workgroup> partial: array<f32, WORKGROUP>;

// Over the lanes of a head, to be called by all of the workgroup.
fn sumOfLanes(own: f32, lane: u32) -> f32 {
  if (LANES == 1u) {
    return own;
  }
  workgroupBarrier();
  partial[lane] = own;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < LANES; i++) {
    sum += partial[lane / LANES * LANES + i];
  }
  return sum;
}
