// gate      Quad [ROWS, QUADS]   within ±7 and one more it is a factor
@group(0) @binding(2) var<storage, read> gate: array<Quad>;

fn factor(at: u32) -> vec4f {
  return 1.0 + clamp(unpackQuad(gate[at]), vec4f(-7.0), vec4f(7.0));
}
