// DIMS numbers of a head, from quad FIRST on, are pairs, each turned by an angle in proportion to the position: neighbors
// if INTERLEAVED, else numbers DIMS / 2 apart.
//
// Cosines and sines come from a table, since f32 cannot hold the angles of late positions. It has those of the first
// FINE positions; where there are more, also those of every FINE-th, and a position is turned by the one and the other.
// Positions and their number SEQUENCE are those of a prelude of positions/.
//
// rotations vec4f [positions, PAIR_QUADS, 2]   cosines of four pairs, then their sines
override FIRST: u32;
override DIMS: u32;
override INTERLEAVED: u32;
override FINE: u32;
override SINE: f32;  // 1, or -1 to turn back
override HALF: u32 = DIMS / 2u;
override PAIR_QUADS: u32 = (DIMS + 7u) / 8u;
// Both numbers of a pair lie in the same place of a quad: then they are turned together.
override IS_ALIGNED: bool = INTERLEAVED == 0u && HALF % 4u == 0u;
override UNITS: u32 = HEAD_QUADS - select(0u, HALF / 4u, IS_ALIGNED);

@group(0) @binding(2) var<storage, read> rotations: array<vec4f>;

struct Turn {
  cosine: vec4f,
  sine: vec4f,
}

// Of four pairs from 4 · `pairs` on.
fn turnOf(own: Head, pairs: u32) -> Turn {
  let position = positionOf(own.token);
  let fine = (position % FINE * PAIR_QUADS + pairs) * 2u;
  let by = Turn(rotations[fine], rotations[fine + 1u]);
  if (SEQUENCE <= FINE) {
    return Turn(by.cosine, SINE * by.sine);
  }
  let coarse = ((FINE + position / FINE) * PAIR_QUADS + pairs) * 2u;
  let far = Turn(rotations[coarse], rotations[coarse + 1u]);
  return Turn(
    fma(far.cosine, by.cosine, -far.sine * by.sine),
    SINE * fma(far.sine, by.cosine, far.cosine * by.sine),
  );
}

// Of one pair: cosine, sine.
fn turnOfPair(own: Head, pair: u32) -> vec2f {
  let four = turnOf(own, pair / 4u);
  return vec2f(four.cosine[pair % 4u], four.sine[pair % 4u]);
}

fn numberOf(own: Head, index: u32) -> f32 {
  return headQuad(own, index / 4u)[index % 4u];
}

// A number of the head, turned with its partner wherever that lies.
fn turnedNumber(own: Head, at: u32) -> f32 {
  let number = numberOf(own, at);
  if (at < 4u * FIRST || at >= 4u * FIRST + DIMS) {
    return number;
  }
  let index = at - 4u * FIRST;
  let is_first = index < HALF;
  let pair = select(index - HALF, index, is_first);
  let partner = numberOf(own, select(at - HALF, at + HALF, is_first));
  let turn = turnOfPair(own, pair);
  return fma(number, turn.x, select(partner, -partner, is_first) * turn.y);
}

fn storeUnit(own: Head, unit: u32) {
  if (INTERLEAVED == 1u) {
    let value = headQuad(own, unit);
    if (unit < FIRST || 4u * (unit - FIRST) >= DIMS) {
      store(own, unit, value);
      return;
    }
    // Pairs past the last turn by nothing.
    let two = unit - FIRST;
    let turn = turnOf(own, two / 2u);
    let cosine = select(turn.cosine.xxyy, turn.cosine.zzww, two % 2u == 1u);
    let sine = select(turn.sine.xxyy, turn.sine.zzww, two % 2u == 1u);
    let partner = vec4f(-value.y, value.x, -value.w, value.z);
    store(own, unit, fma(value, cosine, partner * sine));
    return;
  }
  if (IS_ALIGNED) {
    let step = HALF / 4u;
    if (unit >= step) {
      let rest = unit - step;
      let quad = select(rest + 2u * step, rest, rest < FIRST);
      store(own, quad, headQuad(own, quad));
      return;
    }
    let a = headQuad(own, FIRST + unit);
    let b = headQuad(own, FIRST + unit + step);
    let turn = turnOf(own, unit);
    store(own, FIRST + unit, fma(a, turn.cosine, -b * turn.sine));
    store(own, FIRST + unit + step, fma(b, turn.cosine, a * turn.sine));
    return;
  }
  var value: vec4f;
  for (var i = 0u; i < 4u; i++) {
    value[i] = turnedNumber(own, 4u * unit + i);
  }
  store(own, unit, value);
}
