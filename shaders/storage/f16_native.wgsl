enable f16;
// Storage of f16 elements for adapters with shader-f16: four to a quad.
alias Quad = vec4<f16>;

fn unpackQuad(q: Quad) -> vec4f {
  return vec4f(q);
}

fn packQuad(v: vec4f) -> Quad {
  return vec4<f16>(v);
}
