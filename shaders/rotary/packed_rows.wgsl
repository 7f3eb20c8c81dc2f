// A gradient of packed rows: behind queries and keys those of values, which nothing turned.
//
// dv        Quad [ROWS, KV_HEADS · VALUE_QUADS]
// y         Quad [ROWS, ALL_HEADS · HEAD_QUADS + KV_HEADS · VALUE_QUADS]
override VALUE_QUADS: u32;
override ROW_QUADS: u32 = ALL_HEADS * HEAD_QUADS + KV_HEADS * VALUE_QUADS;

@group(0) @binding(7) var<storage, read> dv: array<Quad>;

fn placeOf(own: Head) -> u32 {
  return own.token * ROW_QUADS + own.head * HEAD_QUADS;
}

// Those of a key's head, by its lanes.
fn storeValues(own: Head, first: u32) {
  if (own.head < HEADS) {
    return;
  }
  let source = (own.token * KV_HEADS + own.head - HEADS) * VALUE_QUADS;
  let place = own.token * ROW_QUADS + ALL_HEADS * HEAD_QUADS + (own.head - HEADS) * VALUE_QUADS;
  for (var quad = first; quad < VALUE_QUADS; quad += LANES) {
    y[place + quad] = dv[source + quad];
  }
}
