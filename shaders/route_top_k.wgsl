// route_top_k: softmax over the experts of each token, then the TOP_K most probable, ties to the lower id.
//
// Experts are compared by logit, which orders them as the softmax does but loses no digits. Every slot
// takes the best expert that comes after the previous slot's in the order (logit down, id up).
//
// logits    Quad [TOKENS, QUADS]   of EXPERTS columns
// ids       u32 [TOKENS, TOP_K]    most probable first
// weights   f32 [TOKENS, TOP_K]    probabilities; if RENORMALISE is 1, scaled to sum to 1 for each token
// dispatch  one invocation per token, WORKGROUP to a workgroup, workgroups folded over x and y
override TOKENS: u32;
override EXPERTS: u32;
override TOP_K: u32;
override RENORMALISE: u32;
override WORKGROUP: u32;
override QUADS: u32 = (EXPERTS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> logits: array<Quad>;
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;

const LOWEST = -3.4e38;

struct Choice {
  logit: f32,
  expert: u32,
}

// The first expert in order after `previous`.
fn next(token: u32, previous: Choice) -> Choice {
  var best = Choice(LOWEST, EXPERTS);
  for (var quad = 0u; quad < QUADS; quad++) {
    let experts = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    let v = unpackQuad(logits[token * QUADS + quad]);
    let comes_later = (v < vec4f(previous.logit)) |
      ((v == vec4f(previous.logit)) & (experts > vec4u(previous.expert)));
    let open = select(vec4f(LOWEST), v, comes_later & (experts < vec4u(EXPERTS)));
    let largest = max(max(open.x, open.y), max(open.z, open.w));
    // Earlier quads have lower ids, and so win ties; within the quad the first that is as large does.
    if (largest > best.logit) {
      let at = select(select(select(3u, 2u, open.z == largest), 1u, open.y == largest), 0u, open.x == largest);
      best = Choice(largest, quad * 4u + at);
    }
  }
  return best;
}

fn sumOfExponentials(token: u32, largest: f32) -> f32 {
  var sum = 0.0;
  for (var quad = 0u; quad < QUADS; quad++) {
    let experts = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    let terms = exp(unpackQuad(logits[token * QUADS + quad]) - largest);
    sum += dot(select(vec4f(), terms, experts < vec4u(EXPERTS)), vec4f(1.0));
  }
  return sum;
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
  // Before every expert: no logit is larger.
  var choice = next(i, Choice(-LOWEST, 0u));
  let largest = choice.logit;
  var chosen = 0.0;
  for (var slot = 0u; slot < TOP_K; slot++) {
    if (slot > 0u) {
      choice = next(i, choice);
    }
    let exponential = exp(choice.logit - largest);
    chosen += exponential;
    ids[i * TOP_K + slot] = choice.expert;
    weights[i * TOP_K + slot] = exponential;
  }
  var total = chosen;
  if (RENORMALISE == 0u) {
    total = sumOfExponentials(i, largest);
  }
  for (var slot = 0u; slot < TOP_K; slot++) {
    weights[i * TOP_K + slot] /= total;
  }
}
