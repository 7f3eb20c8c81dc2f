// multiply_add_scalar: result[i] = the sum of ten chains of multiply-adds, each x = x · a + b.
//
// As many chains as the widest software adapter keeps in registers. With a = b = 1 a chain counts its own
// multiply-adds, so the result shows that none was left out; the compiler does not know a and b.
//
// factors   f32 [2]             a, b
// result    f32 [invocations]   45 + 40 · ITERATIONS when a = b = 1
// dispatch  invocations / 64, 1, 1
override ITERATIONS: u32;

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = factors[0];
  let b = factors[1];
  var x0 = 0f;
  var x1 = 1f;
  var x2 = 2f;
  var x3 = 3f;
  var x4 = 4f;
  var x5 = 5f;
  var x6 = 6f;
  var x7 = 7f;
  var x8 = 8f;
  var x9 = 9f;
  for (var i = 0u; i < ITERATIONS; i++) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x8 = fma(x8, a, b);
    x9 = fma(x9, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x8 = fma(x8, a, b);
    x9 = fma(x9, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x8 = fma(x8, a, b);
    x9 = fma(x9, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
    x8 = fma(x8, a, b);
    x9 = fma(x9, a, b);
  }
  result[id.x] = (((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7))) + (x8 + x9);
}
