// The square of what ReLU leaves.
fn activate(v: vec4f) -> vec4f {
  let positive = max(v, vec4f());
  return positive * positive;
}
