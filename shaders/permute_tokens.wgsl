// permute_tokens: y[offsets[e] + position] = x[token] for every choice e of every token, so that the rows
// of one expert lie together, in token order; a prelude says whether each is times its weight.
//
// A workgroup takes one token, looks up where four of its choices go, and reads its row once for them.
//
// x          Quad [TOKENS, QUADS]
// ids        u32 [TOKENS, TOP_K]   chosen experts
// positions  u32 [TOKENS, TOP_K]   rank of a choice among those of the same expert
// offsets    u32 [experts + 1]     first row of each expert
// y          Quad [TOKENS · TOP_K, QUADS]
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
@group(0) @binding(4) var<storage, read_write> y: array<Quad>;

// Slots past the end repeat the last.
fn choiceOf(token: u32, slot: u32) -> u32 {
  return token * TOP_K + min(slot, TOP_K - 1u);
}

// Where the row of a choice begins in y.
fn placeOf(choice: u32) -> u32 {
  return (offsets[ids[choice]] + positions[choice]) * QUADS;
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
    let choice0 = choiceOf(token, slot);
    let choice1 = choiceOf(token, slot + 1u);
    let choice2 = choiceOf(token, slot + 2u);
    let choice3 = choiceOf(token, slot + 3u);
    let place0 = placeOf(choice0);
    let place1 = placeOf(choice1);
    let place2 = placeOf(choice2);
    let place3 = placeOf(choice3);
    for (var quad = lane; quad < QUADS; quad += LANES) {
      let v = x[token * QUADS + quad];
      y[place0 + quad] = rowOf(v, choice0);
      if (TOP_K > 1u) {
        y[place1 + quad] = rowOf(v, choice1);
      }
      if (TOP_K > 2u) {
        y[place2 + quad] = rowOf(v, choice2);
      }
      if (TOP_K > 3u) {
        y[place3 + quad] = rowOf(v, choice3);
      }
    }
  }
}
