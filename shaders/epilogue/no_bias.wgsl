fn withBias(v: vec4f, part: Part, column: u32) -> vec4f {
  return v;
}
