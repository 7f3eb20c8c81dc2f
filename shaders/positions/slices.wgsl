// Rows are the tokens of two slices of each sequence, OWN_ROWS of both, from positions FIRST_SLICE and SECOND_SLICE on.
override SEQUENCE: u32;  // tokens of a whole sequence
override OWN_ROWS: u32;
override FIRST_SLICE: u32;
override SECOND_SLICE: u32;

fn positionOf(row: u32) -> u32 {
  let at = row % OWN_ROWS;
  let half = OWN_ROWS / 2u;
  return select(SECOND_SLICE + at - half, FIRST_SLICE + at, at < half);
}
