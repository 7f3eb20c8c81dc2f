// Queries are those of a rank's rows, ROWS of each sequence, and keys those of as many rows of another rank. Both are two
// slices of the sequence. Keys and values were brought here side by side.
//
// kv        Quad [BATCH · ROWS, KV_QUADS]   of each token keys of all heads, then their values
override ROWS: u32;
override FIRST_QUERIES: u32;   // position that the first slice begins at
override SECOND_QUERIES: u32;
override FIRST_KEYS: u32;
override SECOND_KEYS: u32;
override KV_QUADS: u32 = KV_HEADS * (HEAD_QUADS + VALUE_QUADS);

@group(0) @binding(2) var<storage, read> kv: array<Quad>;

// Rows past the end are past the end of the sequence.
fn positionsIn(rows: vec4u, first: u32, second: u32) -> vec4u {
  let half = ROWS / 2u;
  let positions = select(rows - half + second, rows + first, rows < vec4u(half));
  return select(vec4u(0xffffffffu), positions, rows < vec4u(ROWS));
}

fn queryPositions(rows: vec4u) -> vec4u {
  return positionsIn(rows, FIRST_QUERIES, SECOND_QUERIES);
}

fn keyPositions(rows: vec4u) -> vec4u {
  return positionsIn(rows, FIRST_KEYS, SECOND_KEYS);
}

fn keyRows(first: u32, last: u32) -> vec2u {
  return vec2u(0u, ROWS);
}

fn queryRows(first: u32, last: u32) -> vec2u {
  return vec2u(0u, ROWS);
}

// Whether any query of the rows from first to last may see a key of others: positions grow with rows.
fn blocksMeet(query_rows: vec2u, key_rows: vec2u) -> bool {
  let ends = vec4u(query_rows, key_rows);
  let queries = queryPositions(ends).xy;
  let keys = keyPositions(ends).zw;
  var meet = true;
  if (CAUSAL == 1u) {
    meet = keys.x <= queries.y;
  }
  if (WINDOW > 0u) {
    meet = meet && queries.x < keys.y + WINDOW;
    if (CAUSAL == 0u) {
      meet = meet && keys.x < queries.y + WINDOW;
    }
  }
  if (CHUNK > 0u) {
    let chunk = max(CHUNK, 1u);
    meet = meet && queries.x / chunk <= keys.y / chunk && keys.x / chunk <= queries.y / chunk;
  }
  return meet;
}

fn keyStarts(tokens: vec4u, kv_head: u32) -> vec4u {
  return tokens * KV_QUADS + kv_head * HEAD_QUADS;
}

fn keyQuad(at: u32) -> vec4f {
  return unpackQuad(kv[at]);
}

fn walkedQuad(of_queries: bool, token: u32, head: u32, kv_head: u32, quad: u32) -> vec4f {
  if (of_queries) {
    return unpackQuad(kv[token * KV_QUADS + kv_head * HEAD_QUADS + quad]);
  }
  return unpackQuad(qkv[token * QKV_QUADS + head * HEAD_QUADS + quad]);
}

fn firstValueQuad(kv_head: u32) -> u32 {
  return KV_HEADS * HEAD_QUADS + kv_head * VALUE_QUADS;
}

fn valueQuad(token: u32, quad: u32) -> vec4f {
  return unpackQuad(kv[token * KV_QUADS + quad]);
}
