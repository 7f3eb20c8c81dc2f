// route_top_k: the TOP_K experts of each token, ties to the lower id, and the scores that weigh them.
//
// Preludes say what scores are made of logits (scores/) and what experts are compared by (choices/). Every slot takes
// the best expert that comes after the previous slot's in the order (key down, id up). Where experts are in GROUPS, it
// is one of the TOP_GROUPS whose best expert, or whose two best together, have the largest keys.
//
// logits    Quad [TOKENS, QUADS]   of EXPERTS columns
// ids       u32 [TOKENS, TOP_K]    the best first
// weights   f32 [TOKENS, TOP_K]    scores; if RENORMALISE is 1, scaled to sum to 1 for each token; times SCALE
// dispatch  one invocation per token, WORKGROUP to a workgroup, workgroups folded over x and y
override TOKENS: u32;
override EXPERTS: u32;
override TOP_K: u32;
override RENORMALISE: u32;
override SCALE: f32;
override GROUPS: u32;  // up to 32, of equal size
override TOP_GROUPS: u32;
override COUNTED_BEST: u32;  // experts whose keys make that of a group: 1 or 2
override WORKGROUP: u32;
override QUADS: u32 = (EXPERTS + 3u) / 4u;
override GROUP_SIZE: u32 = EXPERTS / GROUPS;

@group(0) @binding(0) var<storage, read> logits: array<Quad>;
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;

const LOWEST = -3.4e38;

struct Choice {
  key: f32,
  logit: f32,
  expert: u32,
}

fn expertsOf(quad: u32) -> vec4u {
  return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
}

// The first expert in order after `previous`, of the groups whose bits are set.
fn next(token: u32, previous: Choice, norm: vec2f, open_groups: u32) -> Choice {
  var best = Choice(LOWEST, LOWEST, EXPERTS);
  for (var quad = 0u; quad < QUADS; quad++) {
    let experts = expertsOf(quad);
    let v = unpackQuad(logits[token * QUADS + quad]);
    let keys = keysOf(v, quad, norm);
    var comes_later = (keys < vec4f(previous.key)) |
      ((keys == vec4f(previous.key)) & (experts > vec4u(previous.expert)));
    if (GROUPS > 1u) {
      comes_later &= ((vec4u(open_groups) >> (experts / GROUP_SIZE)) & vec4u(1u)) == vec4u(1u);
    }
    let open = select(vec4f(LOWEST), keys, comes_later & (experts < vec4u(EXPERTS)));
    let largest = max(max(open.x, open.y), max(open.z, open.w));
    // Earlier quads have lower ids, and so win ties; within the quad the first that is as large does.
    if (largest > best.key) {
      let at = select(select(select(3u, 2u, open.z == largest), 1u, open.y == largest), 0u, open.x == largest);
      best = Choice(largest, v[at], quad * 4u + at);
    }
  }
  return best;
}

fn largestLogit(token: u32) -> f32 {
  var largest = LOWEST;
  for (var quad = 0u; quad < QUADS; quad++) {
    let v = unpackQuad(logits[token * QUADS + quad]);
    let own = select(vec4f(LOWEST), v, expertsOf(quad) < vec4u(EXPERTS));
    largest = max(largest, max(max(own.x, own.y), max(own.z, own.w)));
  }
  return largest;
}

fn sumOfExponentials(token: u32, largest: f32) -> f32 {
  var sum = 0.0;
  for (var quad = 0u; quad < QUADS; quad++) {
    let terms = exp(unpackQuad(logits[token * QUADS + quad]) - largest);
    sum += dot(select(vec4f(), terms, expertsOf(quad) < vec4u(EXPERTS)), vec4f(1.0));
  }
  return sum;
}

// A bit for each of the TOP_GROUPS best groups, ties to the lower number.
fn bestGroups(token: u32, norm: vec2f) -> u32 {
  var first = array<f32, 32>();
  var second = array<f32, 32>();
  for (var group = 0u; group < GROUPS; group++) {
    first[group] = LOWEST;
    second[group] = LOWEST;
  }
  for (var quad = 0u; quad < QUADS; quad++) {
    let keys = keysOf(unpackQuad(logits[token * QUADS + quad]), quad, norm);
    for (var i = 0u; i < 4u; i++) {
      let expert = quad * 4u + i;
      if (expert < EXPERTS) {
        let group = expert / GROUP_SIZE;
        second[group] = max(second[group], min(first[group], keys[i]));
        first[group] = max(first[group], keys[i]);
      }
    }
  }
  var chosen = 0u;
  for (var slot = 0u; slot < TOP_GROUPS; slot++) {
    var best = LOWEST;
    var at = 0u;
    for (var group = 0u; group < GROUPS; group++) {
      let key = first[group] + select(0.0, second[group], COUNTED_BEST == 2u);
      if (((chosen >> group) & 1u) == 0u && key > best) {
        best = key;
        at = group;
      }
    }
    chosen |= 1u << at;
  }
  return chosen;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (i >= TOKENS) {
    return;
  }
  // Compared by logit and all together, the first choice has the largest logit.
  let is_first_largest = !COMPARES_SCORES && GROUPS == 1u;
  var norm = vec2f(0.0, 1.0);
  if (!is_first_largest) {
    norm.x = largestLogit(i);
  }
  if (COMPARES_SCORES && SCORES_SUM_TO_ONE) {
    norm.y = sumOfExponentials(i, norm.x);
  }
  var open_groups = 0u;
  if (GROUPS > 1u) {
    open_groups = bestGroups(i, norm);
  }
  // Before every expert: no key is larger.
  var choice = next(i, Choice(-LOWEST, 0.0, 0u), norm, open_groups);
  if (is_first_largest) {
    norm.x = choice.logit;
  }
  var chosen = 0.0;
  for (var slot = 0u; slot < TOP_K; slot++) {
    if (slot > 0u) {
      choice = next(i, choice, norm, open_groups);
    }
    let weight = weightOf(choice.logit, norm.x);
    chosen += weight;
    ids[i * TOP_K + slot] = choice.expert;
    weights[i * TOP_K + slot] = weight;
  }
  var total = 1.0;
  if (RENORMALISE == 1u) {
    total = chosen;
  } else if (SCORES_SUM_TO_ONE) {
    total = sumOfExponentials(i, norm.x);
  }
  for (var slot = 0u; slot < TOP_K; slot++) {
    let at = i * TOP_K + slot;
    weights[at] = SCALE * (weights[at] / total);
  }
}
