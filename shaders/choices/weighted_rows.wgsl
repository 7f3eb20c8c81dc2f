// weights   f32 [TOKENS, TOP_K]   of choices: experts read a token's row times its weight
@group(0) @binding(5) var<storage, read> weights: array<f32>;

fn rowOf(v: Quad, choice: u32) -> Quad {
  return packQuad(weights[choice] * unpackQuad(v));
}
