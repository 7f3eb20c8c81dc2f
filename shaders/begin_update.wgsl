// begin_update: once a step, what the updates of all weights share.
//
// sums      f32 [SUMS]   of squares of gradients; cleared
// state     f32 [8]      updates so far, learning rate, 1 − β₁ᵗ, 1 − β₂ᵗ, what gradients are multiplied by, their norm,
//                        1 where all are finite
// dispatch  one workgroup of one invocation
override LEARNING_RATE: f32;
override BETA1: f32;
override BETA2: f32;
override OTHER1: f32;
override OTHER2: f32;
override CLIP_NORM: f32;
override WARMUP_STEPS: f32;
override INVERSE_SCALE: f32;
override SUMS: u32;

@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32, 8>;

// Above it a number is infinite or none.
const LARGEST = 3e38;

@compute @workgroup_size(1)
fn main() {
  var all = 0.0;
  for (var i = 0u; i < SUMS; i += 1u) {
    all += sums[i];
    sums[i] = 0.0;
  }
  let norm = sqrt(all) * INVERSE_SCALE;
  // False also for what is no number.
  let is_finite = all <= LARGEST;
  state[5] = norm;
  state[6] = select(0.0, 1.0, is_finite);
  if (!is_finite) {
    return;
  }
  let step = state[0] + 1.0;
  state[0] = step;
  var rate = LEARNING_RATE;
  if (step < WARMUP_STEPS) {
    rate *= step / WARMUP_STEPS;
  }
  state[1] = rate;
  state[2] = state[2] * BETA1 + OTHER1;
  state[3] = state[3] * BETA2 + OTHER2;
  var multiplier = INVERSE_SCALE;
  if (CLIP_NORM > 0.0 && norm > CLIP_NORM) {
    multiplier *= CLIP_NORM / (norm + 1e-6);
  }
  state[4] = multiplier;
}
