// positions  Quad [at least FIRST_POSITION + SEQUENCE, QUADS]   added by each token's place, of a prelude of positions/
override SCALE: f32;
override FIRST_POSITION: u32;

@group(0) @binding(3) var<storage, read> positions: array<Quad>;

fn entryOf(v: Quad, token: u32, quad: u32) -> Quad {
  let row = FIRST_POSITION + positionOf(token);
  return packQuad(SCALE * unpackQuad(v) + unpackQuad(positions[row * QUADS + quad]));
}
