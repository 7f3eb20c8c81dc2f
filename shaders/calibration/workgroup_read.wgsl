// workgroup_read: how fast invocations load quads of 16 bytes that their workgroup shares.
//
// The tile holds 256 quads; in each iteration an invocation loads four of them, other ones each time, and
// neighbours load neighbours. The quads count from SEED, which the compiler does not know.
//
// seeds     u32 [1]             SEED
// sums      u32 [invocations]   sum of all words loaded, modulo 2³²; quad q is SEED + q in each word
// dispatch  invocations / 64, 1, 1
override ITERATIONS: u32;

@group(0) @binding(0) var<storage, read> seeds: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

var<workgroup> tile: array<vec4u, 256>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var q = lane; q < 256u; q += 64u) {
    tile[q] = vec4u(seeds[0] + q);
  }
  workgroupBarrier();
  var sum = vec4u();
  for (var i = 0u; i < ITERATIONS; i++) {
    let q = i + lane;
    sum += (tile[q & 255u] + tile[(q + 64u) & 255u]) + (tile[(q + 128u) & 255u] + tile[(q + 192u) & 255u]);
  }
  sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}
