// Keys and values cached as f16, on every adapter: four to a quad, two to a word, low half first.
alias CacheQuad = vec2u;

fn unpackCache(q: CacheQuad) -> vec4f {
  return vec4f(unpack2x16float(q.x), unpack2x16float(q.y));
}

fn packCache(v: vec4f) -> CacheQuad {
  return vec2u(pack2x16float(v.xy), pack2x16float(v.zw));
}
