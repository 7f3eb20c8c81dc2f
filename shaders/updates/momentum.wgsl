// first     vec4f [QUADS]   gradients of all steps, each less than the next by MOMENTUM
override DECAY: f32;
override MOMENTUM: f32;

@group(0) @binding(4) var<storage, read_write> first: array<vec4f>;

// What is taken off the weight, over the learning rate.
fn stepOf(i: u32, weight: vec4f, gradient: vec4f) -> vec4f {
  let b = MOMENTUM * first[i] + (gradient + DECAY * weight);
  first[i] = b;
  return b;
}
