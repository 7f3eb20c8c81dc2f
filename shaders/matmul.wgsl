// matmul: y[M, N] = activation(x[M, K] · w[K, N]).
//
// Everything is in registers: an invocation computes TILE_ROWS rows of two quads of y and shares nothing.
// Software adapters pay for loads and barriers, not for arithmetic, so a shared-memory tile loses there;
// on a GPU neighbouring lanes read neighbouring quads of w and the same quads of x.
//
// x         Quad [M, K_QUADS]   padding 0
// w         Quad [K, N_QUADS]   exactly K rows
// y         Quad [M, N_QUADS]   overwritten; padding stays 0, since every activation keeps 0
// dispatch  ceil(N_QUADS / (2 · COLUMN_LANES)), then ceil(M / (TILE_ROWS · ROW_LANES)) folded over y and z
override M: u32;
override N: u32;
override K: u32;
override ACTIVATION: u32;    // 0 none, 1 GELU (tanh form), 2 SiLU, 3 ReLU
override TILE_ROWS: u32;     // 1, 4 or 8
override COLUMN_LANES: u32;  // a workgroup is COLUMN_LANES · ROW_LANES invocations
override ROW_LANES: u32;
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

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

// sum + x · four consecutive rows of w
fn multiplyAdd(sum: vec4f, x: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return fma(vec4f(x.w), w3, fma(vec4f(x.z), w2, fma(vec4f(x.y), w1, fma(vec4f(x.x), w0, sum))));
}

// Column quad `column` of row `k` of w. Past the last row it repeats that row, which meets a zero of x.
fn weight(k: u32, column: u32) -> vec4f {
  return unpackQuad(w[min(k, K - 1u) * N_QUADS + column]);
}

// Quad `k` of row `row` of x. Rows past the end repeat the last; they are not stored.
fn input(row: u32, k: u32) -> vec4f {
  return unpackQuad(x[min(row, M - 1u) * K_QUADS + k]);
}

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let column = group.x * 2u * COLUMN_LANES + local.x;
  let row = ((group.z * groups.y + group.y) * ROW_LANES + local.y) * TILE_ROWS;
  if (column >= N_QUADS || row >= M) {
    return;
  }
  let right_column = min(column + COLUMN_LANES, N_QUADS - 1u);

  // Named, because arrays of accumulators leave the registers.
  var left0 = vec4f();
  var right0 = vec4f();
  var left1 = vec4f();
  var right1 = vec4f();
  var left2 = vec4f();
  var right2 = vec4f();
  var left3 = vec4f();
  var right3 = vec4f();
  var left4 = vec4f();
  var right4 = vec4f();
  var left5 = vec4f();
  var right5 = vec4f();
  var left6 = vec4f();
  var right6 = vec4f();
  var left7 = vec4f();
  var right7 = vec4f();
  for (var k = 0u; k < K_QUADS; k++) {
    let a0 = weight(4u * k, column);
    let a1 = weight(4u * k + 1u, column);
    let a2 = weight(4u * k + 2u, column);
    let a3 = weight(4u * k + 3u, column);
    let b0 = weight(4u * k, right_column);
    let b1 = weight(4u * k + 1u, right_column);
    let b2 = weight(4u * k + 2u, right_column);
    let b3 = weight(4u * k + 3u, right_column);
    let x0 = input(row, k);
    left0 = multiplyAdd(left0, x0, a0, a1, a2, a3);
    right0 = multiplyAdd(right0, x0, b0, b1, b2, b3);
    if (TILE_ROWS > 1u) {
      let x1 = input(row + 1u, k);
      left1 = multiplyAdd(left1, x1, a0, a1, a2, a3);
      right1 = multiplyAdd(right1, x1, b0, b1, b2, b3);
      let x2 = input(row + 2u, k);
      left2 = multiplyAdd(left2, x2, a0, a1, a2, a3);
      right2 = multiplyAdd(right2, x2, b0, b1, b2, b3);
      let x3 = input(row + 3u, k);
      left3 = multiplyAdd(left3, x3, a0, a1, a2, a3);
      right3 = multiplyAdd(right3, x3, b0, b1, b2, b3);
    }
    if (TILE_ROWS > 4u) {
      let x4 = input(row + 4u, k);
      left4 = multiplyAdd(left4, x4, a0, a1, a2, a3);
      right4 = multiplyAdd(right4, x4, b0, b1, b2, b3);
      let x5 = input(row + 5u, k);
      left5 = multiplyAdd(left5, x5, a0, a1, a2, a3);
      right5 = multiplyAdd(right5, x5, b0, b1, b2, b3);
      let x6 = input(row + 6u, k);
      left6 = multiplyAdd(left6, x6, a0, a1, a2, a3);
      right6 = multiplyAdd(right6, x6, b0, b1, b2, b3);
      let x7 = input(row + 7u, k);
      left7 = multiplyAdd(left7, x7, a0, a1, a2, a3);
      right7 = multiplyAdd(right7, x7, b0, b1, b2, b3);
    }
  }

  // A loop, because the activation and the stores are long code that runs once.
  var left = array(left0, left1, left2, left3, left4, left5, left6, left7);
  var right = array(right0, right1, right2, right3, right4, right5, right6, right7);
  for (var i = 0u; i < min(TILE_ROWS, M - row); i++) {
    let at = (row + i) * N_QUADS + column;
    y[at] = packQuad(activate(left[i]));
    if (column + COLUMN_LANES < N_QUADS) {
      y[at + COLUMN_LANES] = packQuad(activate(right[i]));
    }
  }
}
