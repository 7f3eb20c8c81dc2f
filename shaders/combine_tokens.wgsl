// combine_tokens: y[token] = Σ over the choices e of a token of weight · x[offsets[e] + position], the way
// back from permute_tokens; a prelude says whether there are weights. A choice whose position is kept[e] or more was dropped over capacity: it adds
// nothing, whatever its row of x holds.
//
// A workgroup takes one token, and looks up where its rows lie before it walks along them: the first eight,
// further ones at every step.
//
// x          Quad [TOKENS · TOP_K, QUADS]   rows sorted by expert
// ids        u32 [TOKENS, TOP_K]            chosen experts
// positions  u32 [TOKENS, TOP_K]            rank of a choice among those of the same expert
// offsets    u32 [experts + 1]              first row of each expert
// kept       u32 [experts]                  rows of each expert that were not dropped
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
@group(0) @binding(6) var<storage, read_write> y: array<Quad>;

// Of a choice that was dropped, or is none.
const NOWHERE = 0xffffffffu;

// Where the rows of four choices begin in x, and what they count.
struct Four {
  base: vec4u,
  weight: vec4f,
  // Whether any counts.
  any: bool,
}

fn baseOf(token: u32, slot: u32) -> u32 {
  let choice = token * TOP_K + min(slot, TOP_K - 1u);
  let expert = ids[choice];
  let position = positions[choice];
  let is_kept = slot < TOP_K && position < kept[expert];
  return select(NOWHERE, (offsets[expert] + position) * QUADS, is_kept);
}

fn weightOf(token: u32, slot: u32) -> f32 {
  return weightOfChoice(token * TOP_K + min(slot, TOP_K - 1u));
}

fn fourOf(token: u32, slot: u32) -> Four {
  let base = vec4u(
    baseOf(token, slot),
    baseOf(token, slot + 1u),
    baseOf(token, slot + 2u),
    baseOf(token, slot + 3u),
  );
  let weight = vec4f(
    weightOf(token, slot),
    weightOf(token, slot + 1u),
    weightOf(token, slot + 2u),
    weightOf(token, slot + 3u),
  );
  let is_kept = base != vec4u(NOWHERE);
  // In place of a dropped row one that counts is read again, with weight 0; if none does, the first of all.
  let some = min(min(base[0], base[1]), min(base[2], base[3]));
  let instead = select(some, 0u, some == NOWHERE);
  return Four(
    select(vec4u(instead), base, is_kept),
    select(vec4f(), weight, is_kept),
    some != NOWHERE,
  );
}

fn weighted(four: Four, quad: u32) -> vec4f {
  var sum = four.weight[0] * unpackQuad(x[four.base[0] + quad]);
  if (TOP_K > 1u) {
    sum += four.weight[1] * unpackQuad(x[four.base[1] + quad]);
  }
  if (TOP_K > 2u) {
    sum += four.weight[2] * unpackQuad(x[four.base[2] + quad]);
  }
  if (TOP_K > 3u) {
    sum += four.weight[3] * unpackQuad(x[four.base[3] + quad]);
  }
  return select(vec4f(), sum, four.any);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Tokens past the end repeat the last.
  let token = min(group.y * groups.x + group.x, TOKENS - 1u);
  let first = fourOf(token, 0u);
  let second = fourOf(token, 4u);
  for (var quad = lane; quad < QUADS; quad += LANES) {
    var sum = weighted(first, quad);
    if (TOP_K > 4u) {
      sum += weighted(second, quad);
    }
    for (var slot = 8u; slot < TOP_K; slot += 4u) {
      sum += weighted(fourOf(token, slot), quad);
    }
    y[token * QUADS + quad] = packQuad(sum);
  }
}
