// first     vec4f [QUADS]   mean of gradients
// second    vec4f [QUADS]   mean of their squares
override DECAY: f32;
override BETA1: f32;
override BETA2: f32;
override OTHER1: f32;
override OTHER2: f32;
override EPSILON: f32;

@group(0) @binding(4) var<storage, read_write> first: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> second: array<vec4f>;

// What is taken off the weight, over the learning rate.
fn stepOf(i: u32, weight: vec4f, gradient: vec4f) -> vec4f {
  let m = BETA1 * first[i] + OTHER1 * gradient;
  let v = BETA2 * second[i] + OTHER2 * gradient * gradient;
  first[i] = m;
  second[i] = v;
  return (m / state[2]) / (sqrt(v / state[3]) + EPSILON) + DECAY * weight;
}
