// Quads handed round within a subgroup, four to a matrix.
enable subgroups;

override LANES: u32;  // of a subgroup: 4 or 8

// What lanes 0 to 3 hold.
fn firstFour(quad: vec4f) -> mat4x4f {
  if (LANES == 4u) {
    // Where the subgroup is a quad, this costs less.
    return mat4x4f(
      quadBroadcast(quad, 0u),
      quadBroadcast(quad, 1u),
      quadBroadcast(quad, 2u),
      quadBroadcast(quad, 3u),
    );
  }
  return mat4x4f(
    subgroupShuffle(quad, 0u),
    subgroupShuffle(quad, 1u),
    subgroupShuffle(quad, 2u),
    subgroupShuffle(quad, 3u),
  );
}

// What lanes 4 to 7 hold.
fn secondFour(quad: vec4f) -> mat4x4f {
  return mat4x4f(
    subgroupShuffle(quad, 4u),
    subgroupShuffle(quad, 5u),
    subgroupShuffle(quad, 6u),
    subgroupShuffle(quad, 7u),
  );
}

// Of all lanes, in all of them.
fn sumOfLanes(own: vec4f) -> vec4f {
  let two = own + quadSwapX(own);
  var all = two + quadSwapY(two);
  if (LANES == 8u) {
    all += subgroupShuffleXor(all, 4u);
  }
  return all;
}
