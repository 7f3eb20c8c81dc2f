// What kernels of the backward pass of attention have in common: scores of 4 queries × 4 keys at a time, which keys and
// queries meet, and what a score's slope is. Where they lie and stand, says whole_sequences.wgsl or blocks.wgsl.

// Tokens past the end repeat the last: whatever comes of them counts nothing.
fn tokenOf(sequence: u32, token: u32) -> u32 {
  return sequence * ROWS + min(token, ROWS - 1u);
}

// Columns are queries, their elements keys: products of four queries from quads `q` of qkv on with four keys from
// quads `k` on.
fn productsOf(q: vec4u, k: vec4u) -> mat4x4f {
  var products = mat4x4f();
  for (var quad = 0u; quad < HEAD_QUADS; quad++) {
    let keys = mat4x4f(
      keyQuad(k.x + quad),
      keyQuad(k.y + quad),
      keyQuad(k.z + quad),
      keyQuad(k.w + quad),
    );
    products[0] += unpackQuad(qkv[q.x + quad]) * keys;
    products[1] += unpackQuad(qkv[q.y + quad]) * keys;
    products[2] += unpackQuad(qkv[q.z + quad]) * keys;
    products[3] += unpackQuad(qkv[q.w + quad]) * keys;
  }
  return products;
}

// Four tokens from `token` on.
fn tokensOf(sequence: u32, token: u32) -> vec4u {
  return vec4u(
    tokenOf(sequence, token),
    tokenOf(sequence, token + 1u),
    tokenOf(sequence, token + 2u),
    tokenOf(sequence, token + 3u),
  );
}

// How a score grows with the product that it is made of.
fn scoreSlopes(products: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    let twice = clamp(products * (2.0 * LOG2_E * SCALE / max(SOFTCAP, 1e-30)), vec4f(-60.0), vec4f(60.0));
    return 4.0 * SCALE / ((1.0 + exp2(twice)) * (1.0 + exp2(-twice)));
  }
  return vec4f(SCALE);
}

// The first query that sees any key from `key` on.
fn firstQuery(key: u32) -> u32 {
  var first = 0u;
  if (CAUSAL == 1u) {
    first = key;
  } else if (WINDOW > 0u) {
    first = max(key + 1u, WINDOW) - WINDOW;
  }
  if (CHUNK > 0u) {
    first = max(first, key / max(CHUNK, 1u) * CHUNK);
  }
  return first;
}

// One past the last query that sees any key up to `key`.
fn endOfQueries(key: u32) -> u32 {
  var end = SEQUENCE;
  if (WINDOW > 0u) {
    end = min(end, key + WINDOW);
  }
  if (CHUNK > 0u) {
    end = min(end, (key / max(CHUNK, 1u) + 1u) * CHUNK);
  }
  return end;
}
