// Storage of f16 elements for adapters without shader-f16: four to a quad, two to a word, low half first.
alias Quad = vec2u;

fn unpackQuad(q: Quad) -> vec4f {
  return vec4f(unpack2x16float(q.x), unpack2x16float(q.y));
}

fn packQuad(v: vec4f) -> Quad {
  return vec2u(pack2x16float(v.xy), pack2x16float(v.zw));
}
