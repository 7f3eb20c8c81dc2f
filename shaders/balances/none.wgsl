// No loss balances experts.
fn choicesOf(quad: u32) -> vec4f {
  return vec4f();
}
