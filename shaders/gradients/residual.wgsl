// residual  Quad [ROWS, QUADS]   padding 0
@group(0) @binding(5) var<storage, read> residual: array<Quad>;

fn withResidual(v: vec4f, at: u32) -> vec4f {
  return v + unpackQuad(residual[at]);
}
