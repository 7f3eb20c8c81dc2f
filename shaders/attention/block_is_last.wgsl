// All blocks of keys have been seen.
//
// y           Quad [BATCH · ROWS, HEADS · VALUE_QUADS]
// logarithms  f32 [BATCH · ROWS, HEADS]   of the sums of exponentials of scores, to base 2
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;
@group(0) @binding(6) var<storage, read_write> logarithms: array<f32>;

fn storeSoftmax(row: u32, largest: f32, total: f32) {
  logarithms[row] = largest + log2(total);
}

fn storeResult(row: u32, quad: u32, total: f32) {
  y[row * VALUE_QUADS + quad] = packQuad(state[row * (VALUE_QUADS + 1u) + quad] / total);
}
