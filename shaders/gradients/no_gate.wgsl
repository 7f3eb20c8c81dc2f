fn storeGradients(at: u32, dh: vec4f, v: vec4f) {
  du[at] = packQuad(dh * slope(v));
}
