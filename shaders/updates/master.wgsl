// weight    Quad [QUADS]    as the forward pass reads it
// master    vec4f [QUADS]
@group(0) @binding(2) var<storage, read_write> weight: array<Quad>;
@group(0) @binding(3) var<storage, read_write> master: array<vec4f>;

fn weightAt(i: u32) -> vec4f {
  return master[i];
}

fn storeWeight(i: u32, v: vec4f) {
  master[i] = v;
  weight[i] = packQuad(v);
}
