// What attention makes of products of queries and keys. A score is SCALE times the product; with SOFTCAP it becomes
// SOFTCAP · tanh(score / SOFTCAP); with ALIBI_HEADS it then falls with the distance (Press et al., Train Short, Test
// Long, 2022): slopes are powers of 2^(-8 / n), n the largest power of two of heads, and every other one of 2^(-4 / n)
// for the heads beyond. Which keys are seen, says keys_seen.wgsl.
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;   // of queries and keys
override VALUE_DIM: u32;
override SCALE: f32;
override SOFTCAP: f32;
override ALIBI_HEADS: u32;  // of all ranks
override FIRST_HEAD: u32;   // of this rank
override HEAD_QUADS: u32 = HEAD_DIM / 4u;
override VALUE_QUADS: u32 = VALUE_DIM / 4u;

// Of the heads that the next scores are of.
var<private> slopes: vec4f;

// To be called before scores are made.
fn chooseHeads(heads: vec4u) {
  if (ALIBI_HEADS > 0u) {
    let powers = 1u << firstLeadingBit(max(ALIBI_HEADS, 1u));
    let at = FIRST_HEAD + heads;
    let exponents =
      select(vec4f(2u * (at - powers) + 1u) / 2.0, vec4f(at + 1u), at < vec4u(powers));
    slopes = LOG2_E * exp2(-8.0 * exponents / f32(powers));
  }
}

// Scores of four pairs of a query and a key.
fn scoresOf(products: vec4f, query: vec4u, key: vec4u) -> vec4f {
  var scores = products * (LOG2_E * SCALE);
  if (SOFTCAP > 0.0) {
    // tanh x = 1 - 2 / (e^2x + 1); beyond ±20 it is ±1 in f32.
    let twice = clamp(products * (2.0 * LOG2_E * SCALE / max(SOFTCAP, 1e-30)), vec4f(-60.0), vec4f(60.0));
    scores = LOG2_E * SOFTCAP * (1.0 - 2.0 / (exp2(twice) + 1.0));
  }
  if (ALIBI_HEADS > 0u) {
    scores -= slopes * vec4f(max(query, key) - min(query, key));
  }
  return select(vec4f(LOWEST), scores, isVisible(query, key));
}
