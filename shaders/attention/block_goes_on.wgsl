// Other blocks of keys follow: what was found so far is kept, in f32.
//
// state     vec4f [BATCH · ROWS, HEADS, VALUE_QUADS + 1]   sums of values, then (largest score, total, 0, 0)
@group(0) @binding(5) var<storage, read_write> state: array<vec4f>;

fn storeSum(row: u32, quad: u32, sum: vec4f, total: f32) {
  state[row * (VALUE_QUADS + 1u) + quad] = sum;
}

fn storeSoftmax(row: u32, largest: f32, total: f32) {
  state[row * (VALUE_QUADS + 1u) + VALUE_QUADS] = vec4f(largest, total, 0.0, 0.0);
}
