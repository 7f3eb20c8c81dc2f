// Of squares.

fn factorOf(value: vec4f, at: u32, quad: u32) -> vec4f {
  return value;
}
