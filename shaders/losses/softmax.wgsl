// statistics  vec4f [BLOCKS, ROWS]   of each block of columns: largest logit, sum of exponentials, label's logit or 0
override BLOCKS: u32;

struct RowStatistics {
  largest: f32,
  sum: f32,
  label: f32,
}

// Over all blocks.
fn statisticsOf(row: u32) -> RowStatistics {
  var largest = statistics[row].x;
  for (var block = 1u; block < BLOCKS; block += 1u) {
    largest = max(largest, statistics[block * ROWS + row].x);
  }
  var sum = 0.0;
  var label = 0.0;
  for (var block = 0u; block < BLOCKS; block += 1u) {
    let own = statistics[block * ROWS + row];
    sum += own.y * exp(own.x - largest);
    label += own.z;
  }
  return RowStatistics(largest, sum, label);
}
