fn storeBias(quad: u32, total: vec4f) {}
