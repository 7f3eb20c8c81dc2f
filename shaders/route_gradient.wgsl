// route_gradient: the gradient of a router's logits, from that of the weights that its choices got, an auxiliary loss that
// balances experts, and a loss of the logarithm of the sum of their exponentials.
//
// Scores are the softmax p of a token's logits, or with SIGMOID those of each logit by itself. With q the scores over their
// sum, l the logarithm of the sum of exponentials, and c[e] the choices of expert e by all tokens, which are 0 where nothing
// balances them (a prelude), what is minimized besides is BALANCE · Σ c · q + LOGARITHM / 2 · l².
//
// Weights are SCALE · score, of which RENORMALISE makes SCALE · score / Σ over the chosen. Which experts are chosen has no
// gradient.
//
// logits    Quad [TOKENS, QUADS]   of EXPERTS columns
// ids       u32 [TOKENS, TOP_K]    chosen experts
// dweights  f32 [TOKENS, TOP_K]
// dlogits   Quad [TOKENS, QUADS]   padding 0
// dispatch  one invocation per token, WORKGROUP to a workgroup, workgroups folded over x and y
override TOKENS: u32;
override EXPERTS: u32;
override TOP_K: u32;
override RENORMALISE: u32;
override SIGMOID: u32;
override SCALE: f32;
override BALANCE: f32;
override LOGARITHM: f32;
override WORKGROUP: u32;
override QUADS: u32 = (EXPERTS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> logits: array<Quad>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> dweights: array<f32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<Quad>;

const LOWEST = -3.4e38;

fn expertsOf(quad: u32) -> vec4u {
  return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
}

fn exponentialsOf(v: vec4f, largest: f32, quad: u32) -> vec4f {
  return select(vec4f(), exp(v - largest), expertsOf(quad) < vec4u(EXPERTS));
}

fn sigmoids(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(clamp(-v, vec4f(-80.0), vec4f(80.0))));
}

// Of four experts, before they are divided by their sum.
fn scoresOf(v: vec4f, exponentials: vec4f, quad: u32) -> vec4f {
  if (SIGMOID == 1u) {
    return select(vec4f(), sigmoids(v), expertsOf(quad) < vec4u(EXPERTS));
  }
  return exponentials;
}

fn logitOf(token: u32, expert: u32) -> f32 {
  return unpackQuad(logits[token * QUADS + expert / 4u])[expert % 4u];
}

fn sigmoid(v: f32) -> f32 {
  return 1.0 / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}

// Before it is divided by what the scores of the chosen, or of all, add up to.
fn scoreOf(logit: f32, largest: f32) -> f32 {
  if (SIGMOID == 1u) {
    return sigmoid(logit);
  }
  return exp(logit - largest);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let token = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (token >= TOKENS) {
    return;
  }
  var largest = LOWEST;
  for (var quad = 0u; quad < QUADS; quad++) {
    let v = select(vec4f(LOWEST), unpackQuad(logits[token * QUADS + quad]), expertsOf(quad) < vec4u(EXPERTS));
    largest = max(largest, max(max(v.x, v.y), max(v.z, v.w)));
  }
  var sum = 0.0;
  var scores = 0.0;
  var balance = 0.0;
  for (var quad = 0u; quad < QUADS; quad++) {
    let v = unpackQuad(logits[token * QUADS + quad]);
    let e = exponentialsOf(v, largest, quad);
    let own = scoresOf(v, e, quad);
    sum += dot(e, vec4f(1.0));
    scores += dot(own, vec4f(1.0));
    balance += dot(own, choicesOf(quad));
  }
  balance /= scores;
  let logarithm = largest + log(sum);

  // Of the chosen: the largest logit, for scores that a sum divides, then their sum and that of what they pull.
  var base = largest;
  if (RENORMALISE == 1u) {
    base = LOWEST;
    for (var slot = 0u; slot < TOP_K; slot++) {
      base = max(base, logitOf(token, ids[token * TOP_K + slot]));
    }
  }
  var chosen = 0.0;
  var pull = 0.0;
  for (var slot = 0u; slot < TOP_K; slot++) {
    let at = token * TOP_K + slot;
    let score = scoreOf(logitOf(token, ids[at]), base);
    chosen += score;
    pull += score * dweights[at];
  }
  var total = 1.0;
  if (RENORMALISE == 1u) {
    total = chosen;
  } else if (SIGMOID == 0u) {
    total = sum;
  }
  pull /= total;

  for (var quad = 0u; quad < QUADS; quad++) {
    let experts = expertsOf(quad);
    let v = unpackQuad(logits[token * QUADS + quad]);
    let e = exponentialsOf(v, largest, quad);
    let p = e / sum;
    var q = scoresOf(v, e, quad) / scores;
    if (SIGMOID == 1u) {
      q *= sigmoids(-v);
    }
    var gradient = BALANCE * q * (choicesOf(quad) - balance) + LOGARITHM * logarithm * p;
    if (RENORMALISE == 0u && SIGMOID == 0u) {
      gradient -= SCALE * p * pull;
    }
    for (var slot = 0u; slot < TOP_K; slot++) {
      let at = token * TOP_K + slot;
      let expert = ids[at];
      if (expert / 4u == quad) {
        let logit = v[expert % 4u];
        var own = scoreOf(logit, base) / total;
        if (SIGMOID == 1u) {
          own *= sigmoid(-logit);
        }
        let less = select(0.0, pull, RENORMALISE == 1u);
        gradient += select(vec4f(), vec4f(SCALE * own * (dweights[at] - less)), experts == vec4u(expert));
      }
    }
    dlogits[token * QUADS + quad] = packQuad(gradient);
  }
}
