// silu_multiply: y = gate / (1 + exp(-gate)) · up, the gate of a gated MLP.
//
// gate      Quad [ROWS, QUADS]
// up        Quad [ROWS, QUADS]
// y         Quad [ROWS, QUADS]   padding stays 0 = silu(0) · 0
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override ROWS: u32;
override COLUMNS: u32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> gate: array<Quad>;
@group(0) @binding(1) var<storage, read> up: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

// The exponent is capped where exp would overflow: WGSL promises nothing about infinities.
fn silu(v: vec4f) -> vec4f {
  return v / (1.0 + exp(min(-v, vec4f(80.0))));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    y[i] = packQuad(silu(unpackQuad(gate[i])) * unpackQuad(up[i]));
  }
}
