fn slope(v: vec4f) -> vec4f {
  return 2.0 * max(v, vec4f());
}
