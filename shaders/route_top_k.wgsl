// route_top_k: the TOP_K experts of each token, ties to the lower id, and the scores that weigh them.
//
// Preludes say what scores are made of logits (scores/) and what experts are compared by (choices/). Each walk over the
// experts finds the four that come after the previous walk's in the order (key down, id up). Where experts are in GROUPS,
// they are of the TOP_GROUPS whose best expert, or whose two best together, have the largest keys.
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

// Up to four choices in order, the best first.
struct Choices {
  keys: vec4f,
  experts: vec4u,
}

// Before every expert: no key is larger.
const FIRST = Choices(vec4f(-LOWEST), vec4u());

fn expertsOf(quad: u32) -> vec4u {
  return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
}

// Experts come in the order of their ids, so that whoever is there already wins a tie.
fn inserted(best: Choices, key: f32, expert: u32) -> Choices {
  if (TOP_K == 2u) {
    let is_above = vec2f(key) > best.keys.xy;
    let below = select(expert, best.experts.x, is_above.x);
    let keys = vec2f(max(key, best.keys.x), max(best.keys.y, min(key, best.keys.x)));
    let experts = select(best.experts.xy, vec2u(expert, below), is_above);
    return Choices(vec4f(keys, vec2f(LOWEST)), vec4u(experts, vec2u(EXPERTS)));
  }
  let is_above = vec4f(key) > best.keys;
  let below = select(vec3u(expert), best.experts.xyz, is_above.xyz);
  return Choices(
    max(best.keys, min(vec4f(-LOWEST, best.keys.xyz), vec4f(key))),
    select(best.experts, vec4u(expert, below), is_above),
  );
}

// The first experts in order after the last of `previous`, of the groups whose bits are set.
fn following(token: u32, previous: Choices, norm: vec2f, open_groups: u32) -> Choices {
  var best = Choices(vec4f(LOWEST), vec4u(EXPERTS));
  for (var quad = 0u; quad < QUADS; quad++) {
    let experts = expertsOf(quad);
    let keys = keysOf(unpackQuad(logits[token * QUADS + quad]), quad, norm);
    var is_open = experts < vec4u(EXPERTS);
    if (TOP_K > 4u) {
      is_open &= (keys < vec4f(previous.keys.w)) |
        ((keys == vec4f(previous.keys.w)) & (experts > vec4u(previous.experts.w)));
    }
    if (GROUPS > 1u) {
      is_open &= ((vec4u(open_groups) >> (experts / GROUP_SIZE)) & vec4u(1u)) == vec4u(1u);
    }
    let open = select(vec4f(LOWEST), keys, is_open);
    let largest = max(max(open.x, open.y), max(open.z, open.w));
    if (largest > best.keys[min(TOP_K, 4u) - 1u]) {
      if (TOP_K == 1u) {
        // The first that is as large.
        let at = select(select(select(3u, 2u, open.z == largest), 1u, open.y == largest), 0u, open.x == largest);
        best = Choices(vec4f(largest, vec3f(LOWEST)), vec4u(quad * 4u + at, vec3u(EXPERTS)));
      } else {
        best = inserted(best, open.x, experts.x);
        best = inserted(best, open.y, experts.y);
        best = inserted(best, open.z, experts.z);
        best = inserted(best, open.w, experts.w);
      }
    }
  }
  return best;
}

// Of a choice.
fn logitOf(token: u32, key: f32, expert: u32) -> f32 {
  if (COMPARES_SCORES) {
    let real = min(expert, EXPERTS - 1u);
    return unpackQuad(logits[token * QUADS + real / 4u])[real % 4u];
  }
  return key;
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
  var choices = FIRST;
  var chosen = 0.0;
  for (var first = 0u; first < TOP_K; first += 4u) {
    choices = following(i, choices, norm, open_groups);
    if (first == 0u && is_first_largest) {
      norm.x = choices.keys.x;
    }
    for (var slot = 0u; slot < min(TOP_K - first, 4u); slot++) {
      let expert = choices.experts[slot];
      let weight = weightOf(logitOf(i, choices.keys[slot], expert), norm.x);
      chosen += weight;
      ids[i * TOP_K + first + slot] = expert;
      weights[i * TOP_K + first + slot] = weight;
    }
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
