// What every variant of attention makes of products of queries and keys: scores, in units where exp is exp2.
//
// A query sees a key that lies fewer than WINDOW tokens away, within the same CHUNK of tokens, and with CAUSAL no later
// than itself; 0 switches each of them off. Others get the lowest number there is. A score is SCALE times the product;
// with SOFTCAP it becomes SOFTCAP · tanh(score / SOFTCAP); with ALIBI_HEADS it then falls with the distance (Press et
// al., Train Short, Test Long, 2022): slopes are powers of 2^(-8 / n), n the largest power of two of heads, and every
// other one of 2^(-4 / n) for the heads beyond.
override SEQUENCE: u32;
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;   // of queries and keys
override VALUE_DIM: u32;
override CAUSAL: u32;
override SCALE: f32;
override SOFTCAP: f32;
override WINDOW: u32;
override CHUNK: u32;
override ALIBI_HEADS: u32;  // of all ranks
override FIRST_HEAD: u32;   // of this rank
override HEAD_QUADS: u32 = HEAD_DIM / 4u;
override VALUE_QUADS: u32 = VALUE_DIM / 4u;

const LOWEST = -3.4e38;
const LOG2_E = 1.4426950409;

// Of the workgroup's head.
var<private> slope: f32;

// To be called before scores are made.
fn chooseHead(head: u32) {
  if (ALIBI_HEADS > 0u) {
    let powers = 1u << firstLeadingBit(max(ALIBI_HEADS, 1u));
    let at = FIRST_HEAD + head;
    let exponent = select(f32(2u * (at - powers) + 1u) / 2.0, f32(at + 1u), at < powers);
    slope = LOG2_E * exp2(-8.0 * exponent / f32(powers));
  }
}

fn isVisible(query: vec4u, key: vec4u) -> vec4<bool> {
  var visible = key < vec4u(SEQUENCE);
  if (CAUSAL == 1u) {
    visible &= key <= query;
  }
  if (WINDOW > 0u) {
    visible &= query < key + WINDOW;
    if (CAUSAL == 0u) {
      visible &= key < query + WINDOW;
    }
  }
  if (CHUNK > 0u) {
    visible &= query / max(CHUNK, 1u) == key / max(CHUNK, 1u);
  }
  return visible;
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
    scores -= slope * vec4f(max(query, key) - min(query, key));
  }
  return select(vec4f(LOWEST), scores, isVisible(query, key));
}

// The first key that any query from `query` on sees.
fn firstKey(query: u32) -> u32 {
  var first = 0u;
  if (WINDOW > 0u) {
    first = max(query + 1u, WINDOW) - WINDOW;
  }
  if (CHUNK > 0u) {
    first = max(first, query / max(CHUNK, 1u) * CHUNK);
  }
  return first;
}

// One past the last key that any query up to `query` sees.
fn endOfKeys(query: u32) -> u32 {
  if (CAUSAL == 1u) {
    return min(SEQUENCE, query + 1u);
  }
  var end = SEQUENCE;
  if (WINDOW > 0u) {
    end = min(end, query + WINDOW);
  }
  if (CHUNK > 0u) {
    end = min(end, (query / max(CHUNK, 1u) + 1u) * CHUNK);
  }
  return end;
}
