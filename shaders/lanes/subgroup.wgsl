enable subgroups;
// Sums over the lanes of a workgroup that is one subgroup, LANES wide.

fn total(v: vec4f, lane: u32) -> vec4f {
  return subgroupAdd(v);
}

fn largest(v: vec4f, lane: u32) -> vec4f {
  return subgroupMax(v);
}
