// route_positions: how many choices fell on each expert, where its rows begin when rows are sorted by
// expert, and the rank of each choice among those of the same expert, in token order.
//
// A workgroup answers for four experts. Each of its lanes counts over one run of consecutive choices; the
// counts of the lanes before it are where its own ranks start. offsets[e] is the number of choices with a
// lower id, so no workgroup waits for another, and nothing depends on timing.
//
// ids        u32 [TOKENS, TOP_K]   chosen experts, each below EXPERTS
// positions  u32 [TOKENS, TOP_K]
// counts     u32 [EXPERTS]
// offsets    u32 [EXPERTS + 1]     the last is the number of choices
// dispatch   ceil(EXPERTS / 4), 1, 1
override TOKENS: u32;
override EXPERTS: u32;
override TOP_K: u32;
override WORKGROUP: u32;
override CHOICES: u32 = TOKENS * TOP_K;
override RUN: u32 = (CHOICES + WORKGROUP - 1u) / WORKGROUP;

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> positions: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;

// Of each lane's run: choices of the four experts, and choices of experts with a lower id.
var<workgroup> equal: array<vec4u, WORKGROUP>;
var<workgroup> lower: array<vec4u, WORKGROUP>;

fn ones(where_true: vec4<bool>) -> vec4u {
  return select(vec4u(), vec4u(1u), where_true);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let experts = vec4u(group.x * 4u) + vec4u(0u, 1u, 2u, 3u);
  let first = min(lane * RUN, CHOICES);
  let end = min(first + RUN, CHOICES);

  var own_equal = vec4u();
  var own_lower = vec4u();
  for (var choice = first; choice < end; choice++) {
    let id = vec4u(ids[choice]);
    own_equal += ones(id == experts);
    own_lower += ones(id < experts);
  }
  equal[lane] = own_equal;
  lower[lane] = own_lower;
  workgroupBarrier();

  var rank = vec4u();
  for (var before = 0u; before < lane; before++) {
    rank += equal[before];
  }
  for (var choice = first; choice < end; choice++) {
    let hit = vec4u(ids[choice]) == experts;
    if (any(hit)) {
      positions[choice] = dot(ones(hit), rank);
      rank += ones(hit);
    }
  }

  // One lane for each of the four experts.
  let expert = group.x * 4u + lane;
  if (lane < 4u && expert < EXPERTS) {
    var count = 0u;
    var offset = 0u;
    for (var run = 0u; run < WORKGROUP; run++) {
      count += equal[run][lane];
      offset += lower[run][lane];
    }
    counts[expert] = count;
    offsets[expert] = offset;
    if (expert == EXPERTS - 1u) {
      offsets[EXPERTS] = CHOICES;
    }
  }
}
