// weight    vec4f [QUADS]
@group(0) @binding(2) var<storage, read_write> weight: array<vec4f>;

fn weightAt(i: u32) -> vec4f {
  return weight[i];
}

fn storeWeight(i: u32, v: vec4f) {
  weight[i] = v;
}
