// Which keys a query sees: those that lie fewer than WINDOW tokens away, within the same CHUNK of tokens, and with CAUSAL
// no later than itself; 0 switches each of them off. Scores are in units where exp is exp2.
override SEQUENCE: u32;
override CAUSAL: u32;
override WINDOW: u32;
override CHUNK: u32;

// The score of a key that is not seen.
const LOWEST = -3.4e38;
const LOG2_E = 1.4426950409;

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
