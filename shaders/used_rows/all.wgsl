fn usedRows() -> u32 {
  return ROWS;
}
