// Keys and values cached as f32: four to a quad.
alias CacheQuad = vec4f;

fn unpackCache(q: CacheQuad) -> vec4f {
  return q;
}

fn packCache(v: vec4f) -> CacheQuad {
  return v;
}
