// Each score is the sigmoid of its logit.
const SCORES_SUM_TO_ONE = false;

fn scoresOf(v: vec4f, norm: vec2f) -> vec4f {
  return 1.0 / (1.0 + exp(min(-v, vec4f(80.0))));
}

fn weightOf(logit: f32, largest: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-logit, 80.0)));
}
