// CAP · tanh(v / CAP)
override CAP: f32;

fn activate(v: vec4f) -> vec4f {
  return CAP * tanh(clamp(v / CAP, vec4f(-10.0), vec4f(10.0)));
}
