// digest: adds a number to each of two sums that depends on every word of a buffer and on its place, modulo 2³²; the
// host makes the same of the same words. What two steps leave can so be compared when the first is long overwritten.
//
// words     u32 [WORDS]
// sums      u32 [2]       added to, not overwritten
// dispatch  any number of workgroups in x, which share the words
override WORDS: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<atomic<u32>, 2>;

// A bijection in which every bit of x moves about half of the result.
fn mix(x: u32) -> u32 {
  let a = (x ^ (x >> 16u)) * 0x7feb352du;
  let b = (a ^ (a >> 15u)) * 0x846ca68bu;
  return b ^ (b >> 16u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  var first = 0u;
  var second = 0u;
  for (var i = invocation.x; i < WORDS; i += groups.x * WORKGROUP) {
    let hash = mix(words[i] ^ (i * 0x9e3779b1u));
    first += hash;
    second += mix(hash + i);
  }
  atomicAdd(&sums[0], first);
  atomicAdd(&sums[1], second);
}
