// bias      Quad [QUADS]   padding 0
@group(0) @binding(6) var<storage, read> bias: array<Quad>;

fn shiftOf(quad: u32) -> vec4f {
  return unpackQuad(bias[quad]);
}
