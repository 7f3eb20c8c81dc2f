// counts    u32 [BLOCKS, EXPERTS]   choices of each expert, by each of the ranks that route tokens
override BLOCKS: u32;

@group(0) @binding(3) var<storage, read> counts: array<u32>;

// Of four experts, by all ranks; padding has none.
fn choicesOf(quad: u32) -> vec4f {
  let experts = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  let own = min(experts, vec4u(EXPERTS - 1u));
  var sum = vec4u();
  for (var block = 0u; block < BLOCKS; block++) {
    let at = own + vec4u(block * EXPERTS);
    sum += vec4u(counts[at.x], counts[at.y], counts[at.z], counts[at.w]);
  }
  return select(vec4f(), vec4f(sum), experts < vec4u(EXPERTS));
}
