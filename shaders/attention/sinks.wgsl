// Each head has a score that no value belongs to: a part of the softmax that goes nowhere.
//
// sinks     f32 [HEADS]
@group(0) @binding(3) var<storage, read> sinks: array<f32>;

// The largest score before any key, in units where exp is exp2.
fn firstLargest(head: u32) -> f32 {
  return LOG2_E * sinks[head];
}

// The sum of exponentials before any key.
fn firstTotal() -> f32 {
  return 1.0;
}
