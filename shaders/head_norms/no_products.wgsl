// A norm is over one head.

fn meanProduct(token: u32, is_query: bool) -> f32 {
  return 0.0;
}
