// Four rows whose exponentials are added up. The largest value of each and the sum are found in one pass: whenever a lane
// meets a larger value, its sum shrinks to the new scale.
//
// x         Quad [ROWS, QUADS]   of COLUMNS columns
override ROWS: u32;
override COLUMNS: u32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;

// Its exponential is 0 beside that of any value.
const LOWEST = -3e38;

struct Exponentials {
  largest: vec4f,
  sum: vec4f,  // of what others are below the largest
}

// Quad `quad` of each row, a column of the matrix each; padding is LOWEST.
fn load(base: vec4u, quad: u32) -> mat4x4f {
  let is_column = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLUMNS);
  return mat4x4f(
    select(vec4f(LOWEST), unpackQuad(x[base[0] + quad]), is_column),
    select(vec4f(LOWEST), unpackQuad(x[base[1] + quad]), is_column),
    select(vec4f(LOWEST), unpackQuad(x[base[2] + quad]), is_column),
    select(vec4f(LOWEST), unpackQuad(x[base[3] + quad]), is_column),
  );
}

fn exponentials(v: mat4x4f, shift: vec4f) -> mat4x4f {
  return mat4x4f(exp(v[0] - shift[0]), exp(v[1] - shift[1]), exp(v[2] - shift[2]), exp(v[3] - shift[3]));
}

fn largestOf(v: vec4f) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

// The rows begin at `base`; to be called by all of the workgroup.
fn addedUp(base: vec4u, lane: u32) -> Exponentials {
  var top = vec4f(LOWEST);
  var sum = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v = load(base, quad);
    let above = vec4f(largestOf(v[0]), largestOf(v[1]), largestOf(v[2]), largestOf(v[3]));
    if (any(above > top)) {
      let higher = max(above, top);
      sum *= exp(top - higher);
      top = higher;
    }
    sum += vec4f(1.0) * exponentials(v, top);
  }
  let highest = largest(top, lane);
  return Exponentials(highest, total(sum * exp(top - highest), lane));
}
