// Sums over the LANES invocations of a workgroup, a power of two, to be called by all of them.
var<workgroup> partial: array<vec4f, LANES>;

fn total(v: vec4f, lane: u32) -> vec4f {
  partial[lane] = v;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  return workgroupUniformLoad(&partial[0]);
}

fn largest(v: vec4f, lane: u32) -> vec4f {
  partial[lane] = v;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] = max(partial[lane], partial[lane + half]);
    }
  }
  return workgroupUniformLoad(&partial[0]);
}
