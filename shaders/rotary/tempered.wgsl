// Queries grow with their positions, which are those of a prelude of positions/: once for every INTERVAL of them.
override TEMPERATURE: f32;
override INTERVAL: u32;
override OFFSET: u32;

fn temperatureOf(own: Head) -> f32 {
  if (own.head >= HEADS) {
    return 1.0;
  }
  let times = (positionOf(own.token) + OFFSET) / INTERVAL;
  return fma(TEMPERATURE, log(1.0 + f32(times)), 1.0);
}
