// Positions turn nothing.
override UNITS: u32 = HEAD_QUADS;

fn storeUnit(own: Head, unit: u32) {
  store(own, unit, headQuad(own, unit));
}
