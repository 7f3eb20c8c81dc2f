// weights   f32 [TOKENS, TOP_K]   of choices
@group(0) @binding(5) var<storage, read> weights: array<f32>;

fn weightOfChoice(choice: u32) -> f32 {
  return weights[choice];
}
