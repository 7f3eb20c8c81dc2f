enable f16;
// Products are multiplied and added up in f16, which is stored as it is: half the registers and, where there are
// units for it, twice the speed, for sums that lose a bit with every fourfold k and end at 65,504.
alias Scalar = f16;
alias Vector = vec4<f16>;
alias Block = mat4x4<f16>;

fn operand(q: Quad) -> Vector {
  return q;
}
