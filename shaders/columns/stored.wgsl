// x         Quad [ROWS, QUADS]   padding 0
@group(0) @binding(0) var<storage, read> x: array<Quad>;

fn termOf(at: u32) -> vec4f {
  return unpackQuad(x[at]);
}
