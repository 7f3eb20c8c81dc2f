fn slope(v: vec4f) -> vec4f {
  return vec4f(1.0);
}
