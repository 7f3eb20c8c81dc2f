// Experts read a token's row as it is.
fn rowOf(v: Quad, choice: u32) -> Quad {
  return v;
}
