// The softmax is over keys alone.

fn firstLargest(head: u32) -> f32 {
  return LOWEST;
}

fn firstTotal() -> f32 {
  return 0.0;
}
