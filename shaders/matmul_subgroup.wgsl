// matmul_subgroup: y[M, N] = activation(x[M, K] · w[K, N]), as matmul, for adapters with small subgroups.
//
// Every lane owns its own columns of y, but all lanes of a subgroup need the same rows of x. So each lane loads
// a different row and the subgroup hands it round: one load of x feeds LOAD_ROWS rows. Where loads are dear and
// arithmetic cheap, as on software adapters, little else counts.
//
// An invocation computes TILE_ROWS rows of COLUMNS quads of y. The arithmetic is in 4×4 matrices: four rows
// of w at one quad, times a quad of k of four rows of x, is one quad of four rows of y.
//
// x         Quad [M, K_QUADS]   padding 0
// w         Quad [K, N_QUADS]   exactly K rows
// y         Quad [M, N_QUADS]   overwritten; padding stays 0, since every activation keeps 0
// dispatch  ceil(N_QUADS / (COLUMNS · LANES)), then ceil(M / TILE_ROWS) folded over y and z
enable subgroups;

override M: u32;
override N: u32;
override K: u32;
override ACTIVATION: u32;  // 0 none, 1 GELU (tanh form), 2 SiLU, 3 ReLU
override LOAD_ROWS: u32;   // 4 or 8; no subgroup has fewer lanes
override TILE_ROWS: u32;   // 4, 8 or 16
override COLUMNS: u32;     // 1 or 4
override LANES: u32;       // invocations of a workgroup: whole subgroups
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

// A quad of each of 16 rows, four rows to a matrix.
struct Rows {
  a: mat4x4f,
  b: mat4x4f,
  c: mat4x4f,
  d: mat4x4f,
}

fn activate(v: vec4f) -> vec4f {
  switch (ACTIVATION) {
    case 1u: {
      // tanh(u) differs from ±1 by less than f32 can show from |u| = 10 on, and larger arguments
      // overflow in drivers that compute it from exponentials.
      let u = clamp(0.7978845608 * fma(0.044715 * v * v, v, v), vec4f(-10.0), vec4f(10.0));
      return 0.5 * v * (1.0 + tanh(u));
    }
    case 2u: {
      return v / (1.0 + exp(min(-v, vec4f(80.0))));
    }
    case 3u: {
      return max(v, vec4f());
    }
    default: {
      return v;
    }
  }
}

// Quad `k` of row `row` of x. Rows past the end repeat the last; they are not stored.
fn input(row: u32, k: u32) -> vec4f {
  return unpackQuad(x[min(row, M - 1u) * K_QUADS + k]);
}

// What lanes 0 to 3 hold.
fn firstFour(quad: vec4f) -> mat4x4f {
  return mat4x4f(
    subgroupBroadcast(quad, 0u),
    subgroupBroadcast(quad, 1u),
    subgroupBroadcast(quad, 2u),
    subgroupBroadcast(quad, 3u),
  );
}

// What lanes 4 to 7 hold.
fn secondFour(quad: vec4f) -> mat4x4f {
  return mat4x4f(
    subgroupBroadcast(quad, 4u),
    subgroupBroadcast(quad, 5u),
    subgroupBroadcast(quad, 6u),
    subgroupBroadcast(quad, 7u),
  );
}

// Quad `k` of the rows from `row` on, in every lane. Lanes beyond LOAD_ROWS load what others load, too.
fn inputs(row: u32, lane: u32, k: u32) -> Rows {
  var rows: Rows;
  let own = row + lane % LOAD_ROWS;
  if (LOAD_ROWS == 8u) {
    let upper = input(own, k);
    rows.a = firstFour(upper);
    if (TILE_ROWS > 4u) {
      rows.b = secondFour(upper);
    }
    if (TILE_ROWS > 8u) {
      let lower = input(own + 8u, k);
      rows.c = firstFour(lower);
      rows.d = secondFour(lower);
    }
  } else {
    rows.a = firstFour(input(own, k));
    if (TILE_ROWS > 4u) {
      rows.b = firstFour(input(own + 4u, k));
    }
    if (TILE_ROWS > 8u) {
      rows.c = firstFour(input(own + 8u, k));
      rows.d = firstFour(input(own + 12u, k));
    }
  }
  return rows;
}

// Column quad `column` of row `k` of w. Past the last row it repeats that row, which meets a zero of x.
fn weight(k: u32, column: u32) -> vec4f {
  return unpackQuad(w[min(k, K - 1u) * N_QUADS + column]);
}

// Column quad `column` of the four rows of w that meet quad `k` of x.
fn weights(k: u32, column: u32) -> mat4x4f {
  return mat4x4f(
    weight(4u * k, column),
    weight(4u * k + 1u, column),
    weight(4u * k + 2u, column),
    weight(4u * k + 3u, column),
  );
}

fn multiplyAdd(sums: ptr<function, Rows>, w: mat4x4f, x: Rows) {
  (*sums).a += w * x.a;
  if (TILE_ROWS > 4u) {
    (*sums).b += w * x.b;
  }
  if (TILE_ROWS > 8u) {
    (*sums).c += w * x.c;
    (*sums).d += w * x.d;
  }
}

// Stores the rows from `row` on at column quad `column`, as far as there are any.
fn store(sums: Rows, row: u32, column: u32) {
  if (column >= N_QUADS) {
    return;
  }
  // A loop, because the activation and the stores are long code that runs once.
  var quads = array(sums.a, sums.b, sums.c, sums.d);
  for (var i = 0u; i < min(TILE_ROWS, M - row); i++) {
    y[(row + i) * N_QUADS + column] = packQuad(activate(quads[i / 4u][i % 4u]));
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  // The same for a whole workgroup, so that every lane takes part in every broadcast.
  let row = (group.z * groups.y + group.y) * TILE_ROWS;
  if (row >= M) {
    return;
  }
  let column = group.x * COLUMNS * LANES + invocation;
  let last = N_QUADS - 1u;
  // Named, because arrays of accumulators leave the registers.
  var sums0: Rows;
  var sums1: Rows;
  var sums2: Rows;
  var sums3: Rows;
  for (var k = 0u; k < K_QUADS; k++) {
    let rows = inputs(row, lane, k);
    multiplyAdd(&sums0, weights(k, min(column, last)), rows);
    if (COLUMNS > 1u) {
      multiplyAdd(&sums1, weights(k, min(column + LANES, last)), rows);
      multiplyAdd(&sums2, weights(k, min(column + 2u * LANES, last)), rows);
      multiplyAdd(&sums3, weights(k, min(column + 3u * LANES, last)), rows);
    }
  }
  store(sums0, row, column);
  if (COLUMNS > 1u) {
    store(sums1, row, column + LANES);
    store(sums2, row, column + 2u * LANES);
    store(sums3, row, column + 3u * LANES);
  }
}
