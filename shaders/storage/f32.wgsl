// Storage of f32 elements: four to a quad.
alias Quad = vec4f;

fn unpackQuad(q: Quad) -> vec4f {
  return q;
}

fn packQuad(v: vec4f) -> Quad {
  return v;
}
