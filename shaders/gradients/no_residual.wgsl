fn withResidual(v: vec4f, at: u32) -> vec4f {
  return v;
}
