// All blocks of keys have been seen.
//
// state       vec4f [BATCH · ROWS, HEADS, VALUE_QUADS + 1]   sums of values, then (largest score, total, 0, 0)
// y           Quad [BATCH · ROWS, HEADS · VALUE_QUADS]
// logarithms  f32 [BATCH · ROWS, HEADS]                      of the sums of exponentials of scores, to base 2
@group(0) @binding(5) var<storage, read> state: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<Quad>;
@group(0) @binding(6) var<storage, read_write> logarithms: array<f32>;

fn storeSum(row: u32, quad: u32, sum: vec4f, total: f32) {
  y[row * VALUE_QUADS + quad] = packQuad(sum / total);
}

fn storeSoftmax(row: u32, largest: f32, total: f32) {
  logarithms[row] = largest + log2(total);
}
