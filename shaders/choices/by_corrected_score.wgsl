// correction  Quad [QUADS]   added to the scores by which experts are compared, and to no weight
const COMPARES_SCORES = true;

@group(0) @binding(3) var<storage, read> correction: array<Quad>;

fn keysOf(v: vec4f, quad: u32, norm: vec2f) -> vec4f {
  return scoresOf(v, norm) + unpackQuad(correction[quad]);
}
