override DECAY: f32;

// What is taken off the weight, over the learning rate.
fn stepOf(i: u32, weight: vec4f, gradient: vec4f) -> vec4f {
  return gradient + DECAY * weight;
}
