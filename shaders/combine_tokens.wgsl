// combine_tokens: y[token] = Σ over the choices e of a token of weight · x[offsets[e] + position], the way
// back from permute_tokens. A choice whose position is kept[e] or more was dropped over capacity: it adds
// nothing, and its row of x is not read.
//
// A lane takes four quads at once, so that where a row lies is looked up once for them.
//
// x          Quad [TOKENS · TOP_K, QUADS]   rows sorted by expert
// ids        u32 [TOKENS, TOP_K]            chosen experts
// positions  u32 [TOKENS, TOP_K]            rank of a choice among those of the same expert
// offsets    u32 [experts + 1]              first row of each expert
// kept       u32 [experts]                  rows of each expert that were not dropped
// weights    f32 [TOKENS, TOP_K]
// y          Quad [TOKENS, QUADS]           padding stays 0
// dispatch   one workgroup of LANES invocations per token, folded over x and y
override TOKENS: u32;
override TOP_K: u32;
override HIDDEN: u32;
override LANES: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> kept: array<u32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let token = group.y * groups.x + group.x;
  if (token >= TOKENS) {
    return;
  }
  let choices = token * TOP_K;
  for (var first = lane; first < QUADS; first += 4u * LANES) {
    // Those past the end repeat the last.
    let quads = min(vec4u(first) + LANES * vec4u(0u, 1u, 2u, 3u), vec4u(QUADS - 1u));
    var sum = mat4x4f();
    for (var choice = choices; choice < choices + TOP_K; choice++) {
      let expert = ids[choice];
      let position = positions[choice];
      if (position < kept[expert]) {
        let row = (offsets[expert] + position) * QUADS;
        sum += weights[choice] * mat4x4f(
          unpackQuad(x[row + quads[0]]),
          unpackQuad(x[row + quads[1]]),
          unpackQuad(x[row + quads[2]]),
          unpackQuad(x[row + quads[3]]),
        );
      }
    }
    y[token * QUADS + quads[0]] = packQuad(sum[0]);
    y[token * QUADS + quads[1]] = packQuad(sum[1]);
    y[token * QUADS + quads[2]] = packQuad(sum[2]);
    y[token * QUADS + quads[3]] = packQuad(sum[3]);
  }
}
