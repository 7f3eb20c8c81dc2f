// multiply_add_f16_vec2: result[i] = the sum of eight chains of vec2<f16> multiply-adds, each x = x · a + b.
//
// Pairs are what hardware with packed halves computes at once. An f16 counts exactly up to 2048 only, so a
// chain has at most 2032 multiply-adds, and the sum is taken in f32.
//
// factors   f32 [2]             a, b
// result    f32 [invocations]   120 + 64 · ITERATIONS when a = b = 1
// dispatch  invocations / 64, 1, 1
enable f16;

override ITERATIONS: u32;

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = vec2h(f16(factors[0]));
  let b = vec2h(f16(factors[1]));
  var x0 = vec2h(0, 1);
  var x1 = vec2h(2, 3);
  var x2 = vec2h(4, 5);
  var x3 = vec2h(6, 7);
  var x4 = vec2h(8, 9);
  var x5 = vec2h(10, 11);
  var x6 = vec2h(12, 13);
  var x7 = vec2h(14, 15);
  for (var i = 0u; i < ITERATIONS; i++) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
  }
  let low = (vec2f(x0) + vec2f(x1)) + (vec2f(x2) + vec2f(x3));
  let high = (vec2f(x4) + vec2f(x5)) + (vec2f(x6) + vec2f(x7));
  result[id.x] = dot(low + high, vec2f(1));
}
