// offsets   u32 [EXPERTS + 1]   first row of each expert, then the number of rows in use; rows beyond are neither read
//                               nor written
override EXPERTS: u32;

@group(0) @binding(5) var<storage, read> offsets: array<u32>;

fn usedRows() -> u32 {
  return min(ROWS, offsets[EXPERTS]);
}
