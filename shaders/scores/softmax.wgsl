// A token's scores are the softmax of its logits. `norm` is the largest of them and the sum of all exponentials,
// each to that.
const SCORES_SUM_TO_ONE = true;

fn scoresOf(v: vec4f, norm: vec2f) -> vec4f {
  return exp(v - norm.x) / norm.y;
}

// Of a choice, before all are divided by their sum.
fn weightOf(logit: f32, largest: f32) -> f32 {
  return exp(logit - largest);
}
