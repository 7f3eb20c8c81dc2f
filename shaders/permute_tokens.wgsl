// permute_tokens: y[offsets[e] + position] = x[token] for every choice e of every token, so that the rows
// of one expert lie together, in token order.
//
// x          Quad [TOKENS, QUADS]
// ids        u32 [TOKENS, TOP_K]   chosen experts
// positions  u32 [TOKENS, TOP_K]   rank of a choice among those of the same expert
// offsets    u32 [experts + 1]     first row of each expert
// y          Quad [TOKENS · TOP_K, QUADS]
// dispatch   one workgroup of LANES invocations per choice, folded over x and y
override TOKENS: u32;
override TOP_K: u32;
override HIDDEN: u32;
override LANES: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let choice = group.y * groups.x + group.x;
  if (choice >= TOKENS * TOP_K) {
    return;
  }
  let source = choice / TOP_K * QUADS;
  let place = (offsets[ids[choice]] + positions[choice]) * QUADS;
  for (var quad = lane; quad < QUADS; quad += LANES) {
    y[place + quad] = x[source + quad];
  }
}
