// row_gate  Quad [rows, 1]   a logit, of whose sigmoid a row is a share
@group(0) @binding(7) var<storage, read> row_gate: array<Quad>;

fn withRowGate(v: vec4f, row: u32) -> vec4f {
  return v / (1.0 + exp(min(-unpackQuad(row_gate[row]).x, 80.0)));
}
