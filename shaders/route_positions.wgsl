// route_positions: how many choices fell on each expert, where its rows begin when rows are sorted by
// expert, and the rank of each choice among those of the same expert, in token order.
//
// A workgroup answers for BLOCK experts. Each of its lanes counts over one run of consecutive choices; the
// counts of the lanes before it are where its own ranks start. Choices of lower experts are counted too, so
// that no workgroup waits for another, and nothing depends on timing.
//
// ids        u32 [TOKENS, TOP_K]   chosen experts, each below EXPERTS
// positions  u32 [TOKENS, TOP_K]
// counts     u32 [EXPERTS]
// offsets    u32 [EXPERTS + 1]     the last is the number of choices
// dispatch   ceil(EXPERTS / BLOCK), 1, 1
override TOKENS: u32;
override EXPERTS: u32;
override TOP_K: u32;
override BLOCK: u32;
override LANES: u32;
override CHOICES: u32 = TOKENS * TOP_K;
override RUN: u32 = (CHOICES + LANES - 1u) / LANES;

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> positions: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;

// [BLOCK, LANES]: first how many choices of its run fell on the expert, then the rank of its next one.
var<workgroup> ranks: array<u32, BLOCK * LANES>;
var<workgroup> totals: array<u32, BLOCK>;
// Choices of a lane's run that fell on experts before the block.
var<workgroup> lower: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_expert = group.x * BLOCK;
  let first = min(lane * RUN, CHOICES);
  let end = min(first + RUN, CHOICES);

  for (var expert = 0u; expert < BLOCK; expert++) {
    ranks[expert * LANES + lane] = 0u;
  }
  var own_lower = 0u;
  for (var choice = first; choice < end; choice++) {
    let id = ids[choice];
    own_lower += select(0u, 1u, id < first_expert);
    // An id before the block wraps to a large number.
    if (id - first_expert < BLOCK) {
      ranks[(id - first_expert) * LANES + lane]++;
    }
  }
  lower[lane] = own_lower;
  workgroupBarrier();

  for (var expert = lane; expert < BLOCK; expert += LANES) {
    var rank = 0u;
    for (var run = 0u; run < LANES; run++) {
      let count = ranks[expert * LANES + run];
      ranks[expert * LANES + run] = rank;
      rank += count;
    }
    totals[expert] = rank;
  }
  workgroupBarrier();

  for (var choice = first; choice < end; choice++) {
    let id = ids[choice];
    if (id - first_expert < BLOCK) {
      let slot = (id - first_expert) * LANES + lane;
      positions[choice] = ranks[slot];
      ranks[slot]++;
    }
  }

  if (lane == 0u) {
    var offset = 0u;
    for (var run = 0u; run < LANES; run++) {
      offset += lower[run];
    }
    for (var expert = 0u; expert < min(BLOCK, EXPERTS - first_expert); expert++) {
      counts[first_expert + expert] = totals[expert];
      offsets[first_expert + expert] = offset;
      offset += totals[expert];
    }
    if (first_expert + BLOCK >= EXPERTS) {
      offsets[EXPERTS] = offset;
    }
  }
}
