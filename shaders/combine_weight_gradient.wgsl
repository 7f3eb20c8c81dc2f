// combine_weight_gradient: of y[token] = Σ weight · x[row], the gradient of each choice's weight, dy[token] · x[row]; 0 of
// a choice that was dropped.
//
// A workgroup takes one token and reads the row of dy once for four choices.
//
// x          Quad [rows, QUADS]             rows sorted by expert
// dy         Quad [TOKENS, QUADS]
// ids        u32 [TOKENS, TOP_K]            chosen experts
// positions  u32 [TOKENS, TOP_K]            rank of a choice among those of the same expert
// offsets    u32 [experts + 1]              first row of each expert
// kept       u32 [experts]                  rows of each expert that were not dropped
// dweights   f32 [TOKENS, TOP_K]
// dispatch   one workgroup of LANES invocations per token, folded over x and y
override TOKENS: u32;
override TOP_K: u32;
override HIDDEN: u32;
override LANES: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> dy: array<Quad>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> kept: array<u32>;
@group(0) @binding(6) var<storage, read_write> dweights: array<f32>;

const NOWHERE = 0xffffffffu;

// Where the row of a choice begins in x.
fn baseOf(token: u32, slot: u32) -> u32 {
  let choice = token * TOP_K + min(slot, TOP_K - 1u);
  let expert = ids[choice];
  let position = positions[choice];
  let is_kept = slot < TOP_K && position < kept[expert];
  return select(NOWHERE, (offsets[expert] + position) * QUADS, is_kept);
}

fn product(base: u32, quad: u32, g: vec4f) -> f32 {
  if (base == NOWHERE) {
    return 0.0;
  }
  return dot(unpackQuad(x[base + quad]), g);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Tokens past the end repeat the last.
  let token = min(group.y * groups.x + group.x, TOKENS - 1u);
  for (var slot = 0u; slot < TOP_K; slot += 4u) {
    let base = vec4u(
      baseOf(token, slot),
      baseOf(token, slot + 1u),
      baseOf(token, slot + 2u),
      baseOf(token, slot + 3u),
    );
    var products = vec4f();
    for (var quad = lane; quad < QUADS; quad += LANES) {
      let g = unpackQuad(dy[token * QUADS + quad]);
      products += vec4f(
        product(base[0], quad, g),
        product(base[1], quad, g),
        product(base[2], quad, g),
        product(base[3], quad, g),
      );
    }
    let found = total(products, lane);
    for (var i = lane; i < min(4u, TOP_K - slot); i += LANES) {
      dweights[token * TOP_K + slot + i] = found[i];
    }
  }
}
