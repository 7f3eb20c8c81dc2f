// rotary: queries and keys as attention takes them: each head normalized, then turned by its token's position.
//
// An invocation, or LANES of them, takes one head of one token. Where it lies say rotary/packed.wgsl and
// rotary/latent.wgsl, and where it goes rotary/own_rows.wgsl and rotary/packed_rows.wgsl; what turns it is
// rotary/turned.wgsl, or nothing; what it is multiplied with rotary/tempered.wgsl, or nothing; lanes of a
// head are summed over by rotary/lanes.wgsl.
//
// dispatch  ceil(ROWS · ALL_HEADS · LANES / WORKGROUP) workgroups, folded over x and y
override ROWS: u32;
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;
override NORM: u32;       // 0 none, 1 by the root mean square, 2 also centered, 3 by squares of all heads that are given
override EPSILON: f32;
override LANES: u32;      // a power of two
override WORKGROUP: u32;
override HEAD_QUADS: u32 = HEAD_DIM / 4u;
override ALL_HEADS: u32 = HEADS + KV_HEADS;

@group(0) @binding(1) var<storage, read_write> y: array<Quad>;

// A head of a token, and what normalizes it.
struct Head {
  token: u32,
  head: u32,
  mean: f32,
  scale: f32,
  temperature: f32,
}

// Of the normalized head.
fn headQuad(own: Head, quad: u32) -> vec4f {
  if (NORM == 0u) {
    return plainQuad(own, quad);
  }
  return (plainQuad(own, quad) - own.mean) * own.scale * gainQuad(own.head, quad);
}

fn store(own: Head, quad: u32, value: vec4f) {
  y[placeOf(own) + quad] = packQuad(own.temperature * value);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * (WORKGROUP / LANES) + lane / LANES;
  // Past the end there is the last again, so that all of a workgroup reach its barriers.
  let real = min(at, ROWS * ALL_HEADS - 1u);
  var own = Head(real / ALL_HEADS, real % ALL_HEADS, 0.0, 1.0, 1.0);
  let first = lane % LANES;
  if (NORM == 2u) {
    var sum = 0.0;
    for (var quad = first; quad < HEAD_QUADS; quad += LANES) {
      sum += dot(plainQuad(own, quad), vec4f(1.0));
    }
    own.mean = sumOfLanes(sum, lane) / f32(HEAD_DIM);
  }
  if (NORM == 1u || NORM == 2u) {
    var squares = 0.0;
    for (var quad = first; quad < HEAD_QUADS; quad += LANES) {
      let value = plainQuad(own, quad) - own.mean;
      squares += dot(value, value);
    }
    own.scale = inverseSqrt(sumOfLanes(squares, lane) / f32(HEAD_DIM) + EPSILON);
  }
  if (NORM == 3u) {
    own.scale = inverseSqrt(meanSquare(own.token, own.head < HEADS) + EPSILON);
  }
  if (at >= ROWS * ALL_HEADS) {
    return;
  }
  own.temperature = temperatureOf(own);
  for (var unit = first; unit < UNITS; unit += LANES) {
    storeUnit(own, unit);
  }
  storeValues(own, first);
}
