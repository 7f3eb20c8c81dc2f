// combine_tokens: y[token] = Σ over the choices e of a token of weight · x[offsets[e] + position], the way
// back from permute_tokens. A choice whose position is kept[e] or more was dropped over capacity: it adds
// nothing, and its row of x is not read.
//
// x          Quad [TOKENS · TOP_K, QUADS]   rows sorted by expert
// ids        u32 [TOKENS, TOP_K]            chosen experts
// positions  u32 [TOKENS, TOP_K]            rank of a choice among those of the same expert
// offsets    u32 [experts + 1]              first row of each expert
// kept       u32 [experts]                  rows of each expert that were not dropped
// weights    f32 [TOKENS, TOP_K]
// y          Quad [TOKENS, QUADS]           padding stays 0
// dispatch   one invocation per quad of y, WORKGROUP to a workgroup, workgroups folded over x and y
override TOKENS: u32;
override TOP_K: u32;
override HIDDEN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> kept: array<u32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (i >= TOKENS * QUADS) {
    return;
  }
  let quad = i % QUADS;
  let first = i / QUADS * TOP_K;
  var sum = vec4f();
  for (var choice = first; choice < first + TOP_K; choice++) {
    let expert = ids[choice];
    let position = positions[choice];
    if (position < kept[expert]) {
      let row = offsets[expert] + position;
      sum = fma(vec4f(weights[choice]), unpackQuad(x[row * QUADS + quad]), sum);
    }
  }
  y[i] = packQuad(sum);
}
