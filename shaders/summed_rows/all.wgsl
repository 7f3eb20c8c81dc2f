// Rows of one sum: all.
fn rowsOf(part: u32) -> vec2u {
  return vec2u(0u, ROWS);
}
