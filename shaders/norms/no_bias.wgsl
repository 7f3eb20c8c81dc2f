fn shiftOf(quad: u32) -> vec4f {
  return vec4f();
}
