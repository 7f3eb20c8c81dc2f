override SCALE: f32;

fn entryOf(v: Quad, token: u32, quad: u32) -> Quad {
  return packQuad(SCALE * unpackQuad(v));
}
