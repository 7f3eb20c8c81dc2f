// Products are multiplied and added up in f32, whatever is stored.
alias Scalar = f32;
alias Vector = vec4f;
alias Block = mat4x4f;

fn operand(q: Quad) -> Vector {
  return unpackQuad(q);
}
