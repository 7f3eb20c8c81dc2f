// Rows are the tokens of whole sequences, SEQUENCE of each.
override SEQUENCE: u32;

fn positionOf(row: u32) -> u32 {
  return row % SEQUENCE;
}
