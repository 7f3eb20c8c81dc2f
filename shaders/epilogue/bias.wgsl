// bias      Quad [parts, N_QUADS], rows Y_QUADS apart   padding 0
@group(0) @binding(4) var<storage, read> bias: array<Quad>;

fn withBias(v: vec4f, part: Part, column: u32) -> vec4f {
  return v + unpackQuad(bias[placeOf(part.index, column)]);
}
