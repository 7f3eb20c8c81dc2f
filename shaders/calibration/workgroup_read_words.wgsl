// workgroup_read_words: how fast invocations load words of 4 bytes that their workgroup shares.
//
// As workgroup_read, with a tile of 256 words.
//
// seeds     u32 [1]             SEED
// sums      u32 [invocations]   sum of all words loaded, modulo 2³²; word q is SEED + q
// dispatch  invocations / 64, 1, 1
override ITERATIONS: u32;

@group(0) @binding(0) var<storage, read> seeds: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

var<workgroup> tile: array<u32, 256>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var q = lane; q < 256u; q += 64u) {
    tile[q] = seeds[0] + q;
  }
  workgroupBarrier();
  var sum = 0u;
  for (var i = 0u; i < ITERATIONS; i++) {
    let q = i + lane;
    sum += (tile[q & 255u] + tile[(q + 64u) & 255u]) + (tile[(q + 128u) & 255u] + tile[(q + 192u) & 255u]);
  }
  sums[id.x] = sum;
}
