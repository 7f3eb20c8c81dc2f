// Other blocks of keys follow.

fn storeSoftmax(row: u32, largest: f32, total: f32) {
  state[row * (VALUE_QUADS + 1u) + VALUE_QUADS] = vec4f(largest, total, 0.0, 0.0);
}

fn storeResult(row: u32, quad: u32, total: f32) {}
