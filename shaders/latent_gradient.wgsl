// latent_gradient: gradients of packed heads to where latent attention had the heads from.
//
// dheads    Quad [ROWS, PACKED_QUADS]                         of each token queries, keys, values, of all heads each
// dq        Quad [ROWS, HEADS · HEAD_QUADS]
// dkv       Quad [ROWS, HEADS · (PLAIN_QUADS + VALUE_QUADS)]  of each head a key without its shared part, then a value
// ddown     Quad [ROWS, RANK_QUADS + SHARED_QUADS]            zeros, then the sum of all keys' shared parts
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of the three results side by side
override ROWS: u32;
override HEADS: u32;
override HEAD_QUADS: u32;
override PLAIN_QUADS: u32;
override VALUE_QUADS: u32;
override RANK_QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;
override SHARED_QUADS: u32 = HEAD_QUADS - PLAIN_QUADS;
override PACKED_QUADS: u32 = HEADS * (2u * HEAD_QUADS + VALUE_QUADS);
override Q_QUADS: u32 = HEADS * HEAD_QUADS;
override OWN_QUADS: u32 = PLAIN_QUADS + VALUE_QUADS;
override KV_QUADS: u32 = HEADS * OWN_QUADS;
override DOWN_QUADS: u32 = RANK_QUADS + SHARED_QUADS;
override ROW_QUADS: u32 = Q_QUADS + KV_QUADS + DOWN_QUADS;

@group(0) @binding(0) var<storage, read> dheads: array<Quad>;
@group(0) @binding(1) var<storage, read_write> dq: array<Quad>;
@group(0) @binding(2) var<storage, read_write> dkv: array<Quad>;
@group(0) @binding(3) var<storage, read_write> ddown: array<Quad>;

// Of a head's key and value.
fn keyOrValue(base: u32, quad: u32) -> Quad {
  let head = quad / OWN_QUADS;
  let at = quad % OWN_QUADS;
  if (at < PLAIN_QUADS) {
    return dheads[base + Q_QUADS + head * HEAD_QUADS + at];
  }
  return dheads[base + 2u * Q_QUADS + head * VALUE_QUADS + at - PLAIN_QUADS];
}

fn sharedSum(base: u32, quad: u32) -> vec4f {
  var sum = vec4f();
  for (var head = 0u; head < HEADS; head++) {
    sum += unpackQuad(dheads[base + Q_QUADS + head * HEAD_QUADS + PLAIN_QUADS + quad]);
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * ROW_QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    let row = i / ROW_QUADS;
    let quad = i % ROW_QUADS;
    let base = row * PACKED_QUADS;
    if (quad < Q_QUADS) {
      dq[row * Q_QUADS + quad] = dheads[base + quad];
    } else if (quad < Q_QUADS + KV_QUADS) {
      dkv[row * KV_QUADS + quad - Q_QUADS] = keyOrValue(base, quad - Q_QUADS);
    } else {
      let at = quad - Q_QUADS - KV_QUADS;
      if (at < RANK_QUADS) {
        ddown[row * DOWN_QUADS + at] = packQuad(vec4f());
      } else {
        ddown[row * DOWN_QUADS + at] = packQuad(sharedSum(base, at - RANK_QUADS));
      }
    }
  }
}
