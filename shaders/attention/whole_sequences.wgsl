// Queries and keys are the tokens of whole sequences, which lie side by side in the rows of qkv.
override ROWS: u32 = SEQUENCE;  // of each

fn queryPositions(rows: vec4u) -> vec4u {
  return rows;
}

fn keyPositions(rows: vec4u) -> vec4u {
  return rows;
}

// Rows that queries from `first` to `last` see keys in.
fn keyRows(first: u32, last: u32) -> vec2u {
  return vec2u(firstKey(first), endOfKeys(last));
}

// Rows with queries that see keys from `first` to `last`.
fn queryRows(first: u32, last: u32) -> vec2u {
  return vec2u(firstQuery(first), endOfQueries(last));
}

fn blocksMeet(queries: vec2u, keys: vec2u) -> bool {
  return true;
}

// First quads of keys.
fn keyStarts(tokens: vec4u, kv_head: u32) -> vec4u {
  return tokens * QKV_QUADS + (HEADS + kv_head) * HEAD_QUADS;
}

fn keyQuad(at: u32) -> vec4f {
  return unpackQuad(qkv[at]);
}

// Of what a gradient of queries is a sum of, keys, or a gradient of keys, queries.
fn walkedQuad(of_queries: bool, token: u32, head: u32, kv_head: u32, quad: u32) -> vec4f {
  let column = select(head, HEADS + kv_head, of_queries) * HEAD_QUADS;
  return unpackQuad(qkv[token * QKV_QUADS + column + quad]);
}
