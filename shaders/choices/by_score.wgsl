const COMPARES_SCORES = true;

fn keysOf(v: vec4f, quad: u32, norm: vec2f) -> vec4f {
  return scoresOf(v, norm);
}
