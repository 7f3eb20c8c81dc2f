fn withRowGate(v: vec4f, row: u32) -> vec4f {
  return v;
}
