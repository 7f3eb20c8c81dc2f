// multiply_add_vec4_wide: result[i] = the sum of four chains of vec4 multiply-adds, each x = x · a + b.
//
// As multiply_add_vec4, with chains enough for hardware that starts several operations before one is done.
//
// factors   f32 [2]             a, b
// result    f32 [invocations]   120 + 128 · ITERATIONS when a = b = 1
// dispatch  invocations / 64, 1, 1
override ITERATIONS: u32;

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(factors[0]);
  let b = vec4f(factors[1]);
  var x0 = vec4f(0, 1, 2, 3);
  var x1 = vec4f(4, 5, 6, 7);
  var x2 = vec4f(8, 9, 10, 11);
  var x3 = vec4f(12, 13, 14, 15);
  for (var i = 0u; i < ITERATIONS; i++) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
  }
  result[id.x] = dot((x0 + x1) + (x2 + x3), vec4f(1));
}
