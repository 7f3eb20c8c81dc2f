// y         Quad [ROWS, ALL_HEADS · HEAD_QUADS]   queries, then keys

fn placeOf(own: Head) -> u32 {
  return (own.token * ALL_HEADS + own.head) * HEAD_QUADS;
}

fn storeValues(own: Head, first: u32) {}
