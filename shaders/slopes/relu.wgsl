fn slope(v: vec4f) -> vec4f {
  return select(vec4f(), vec4f(1.0), v > vec4f());
}
