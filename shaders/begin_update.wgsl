// begin_update: once a step, what the updates of all weights share.
//
// sums      vec4f [QUADS]   of squares of gradients; cleared
// state     f32 [8]         updates so far, learning rate, 1 − β₁ᵗ, 1 − β₂ᵗ, what gradients are multiplied by, their norm,
//                           1 where all are finite
// dispatch  one workgroup
override LEARNING_RATE: f32;
override BETA1: f32;
override BETA2: f32;
override OTHER1: f32;
override OTHER2: f32;
override CLIP_NORM: f32;
override WARMUP_STEPS: f32;
override INVERSE_SCALE: f32;
override QUADS: u32;
override LANES: u32;

@group(0) @binding(0) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> state: array<f32, 8>;

// By its bits: compilers may take for granted that numbers are finite.
fn isFinite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var own = vec4f();
  for (var i = lane; i < QUADS; i += LANES) {
    own += sums[i];
    sums[i] = vec4f();
  }
  let parts = total(own, lane);
  if (lane > 0u) {
    return;
  }
  let all = (parts.x + parts.y) + (parts.z + parts.w);
  let norm = sqrt(all) * INVERSE_SCALE;
  let is_finite = isFinite(all);
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
  if (CLIP_NORM > 0.0) {
    multiplier *= min(1.0, CLIP_NORM / (norm + 1e-6));
  }
  state[4] = multiplier;
}
