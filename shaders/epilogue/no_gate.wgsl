fn withGate(v: vec4f, row: u32, column: u32) -> vec4f {
  return v;
}
