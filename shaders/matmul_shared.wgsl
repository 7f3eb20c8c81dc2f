// matmul_shared: y = finish(x · w), as matmul, for GPUs: what the invocations of a workgroup need of x and w in
// common, they share in workgroup memory.
//
// A workgroup computes TILE · 4 rows of TILE quads of y. It is EDGE × EDGE invocations, each of which computes
// blocks of four rows of one quad: one, or 2 × 2 that lie EDGE blocks apart. It walks along k in steps of DEPTH
// quads. While one step is multiplied, the next is on its way from memory into registers; it goes into the
// other half of workgroup memory, so that a step needs one barrier.
//
// y         [rows, N_QUADS], rows Y_QUADS apart, which `results` declares
// dispatch  workgroups for the rows, 4 · TILE each, fewer of which take turns; ceil(N_QUADS / TILE); parts
override N: u32;
override K: u32;
override EDGE: u32;
override BLOCKS: u32;  // of an invocation along each side: 1 or 2
override DEPTH: u32;   // TILE · DEPTH is at most half the invocations
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;
override TILE: u32 = EDGE * BLOCKS;
override HALF: u32 = 4u * DEPTH * TILE;

// Two halves, each [4 · DEPTH, TILE]: at one k, a quad of the rows of x, or of the columns of w.
var<workgroup> xs: array<Vector, 2u * HALF>;
var<workgroup> ws: array<Vector, 2u * HALF>;

// The blocks of x and w that an invocation fetches for a step, if any.
struct Fetched {
  x: Block,
  w: Block,
}

fn fetchInput(part: Part, row: u32, k: u32) -> Block {
  let own = min(k, max(depthOf(part), 1u) - 1u);
  let block = inputBlock(Block(
    inputQuad(inputStart(part, row, 0u), own),
    inputQuad(inputStart(part, row, 1u), own),
    inputQuad(inputStart(part, row, 2u), own),
    inputQuad(inputStart(part, row, 3u), own),
  ));
  // Past the end of k zeros of x meet w repeated.
  return transpose(block) * Scalar(k < depthOf(part));
}

// The first invocations fetch x, neighbours along k; the last fetch w, neighbours along the columns.
fn fetch(part: Part, row: u32, column: u32, k: u32, invocation: u32) -> Fetched {
  var fetched: Fetched;
  if (invocation < TILE * DEPTH) {
    fetched.x = fetchInput(part, row + invocation / DEPTH * 4u, k + invocation % DEPTH);
  }
  let last = EDGE * EDGE - 1u - invocation;
  if (last < TILE * DEPTH) {
    let own = min(column + TILE - 1u - last % TILE, N_QUADS - 1u);
    fetched.w = weightBlock(weightStart(part, own), min(k + last / TILE, max(depthOf(part), 1u) - 1u));
  }
  return fetched;
}

fn put(fetched: Fetched, half: u32, invocation: u32) {
  if (invocation < TILE * DEPTH) {
    for (var i = 0u; i < 4u; i++) {
      xs[half * HALF + (invocation % DEPTH * 4u + i) * TILE + invocation / DEPTH] = fetched.x[i];
    }
  }
  let last = EDGE * EDGE - 1u - invocation;
  if (last < TILE * DEPTH) {
    for (var i = 0u; i < 4u; i++) {
      ws[half * HALF + (last / TILE * 4u + i) * TILE + TILE - 1u - last % TILE] = fetched.w[i];
    }
  }
}

// Four rows of one quad at one k.
fn outer(w: Vector, x: Vector) -> Block {
  return Block(w * x.x, w * x.y, w * x.z, w * x.w);
}

fn tile(part: Part, row: u32, column: u32, local: vec2u) {
  let invocation = local.y * EDGE + local.x;
  // By block of rows, then of columns.
  var sum00 = Block();
  var sum01 = Block();
  var sum10 = Block();
  var sum11 = Block();
  put(fetch(part, row, column, 0u, invocation), 0u, invocation);
  workgroupBarrier();
  var half = 0u;
  for (var k = 0u; k < depthOf(part); k += DEPTH) {
    let next = fetch(part, row, column, k + DEPTH, invocation);
    for (var i = 0u; i < 4u * DEPTH; i++) {
      let at = half * HALF + i * TILE;
      let x0 = xs[at + local.y];
      let w0 = ws[at + local.x];
      sum00 += outer(w0, x0);
      if (BLOCKS > 1u) {
        let x1 = xs[at + local.y + EDGE];
        let w1 = ws[at + local.x + EDGE];
        sum01 += outer(w1, x0);
        sum10 += outer(w0, x1);
        sum11 += outer(w1, x1);
      }
    }
    half = 1u - half;
    put(next, half, invocation);
    workgroupBarrier();
  }

  // A loop, because what finishes y and the stores are long code that runs once.
  var blocks = array(sum00, sum01, sum10, sum11);
  for (var i = 0u; i < 4u * BLOCKS * BLOCKS; i++) {
    let own_row = row + 4u * (local.y + i / 8u * EDGE) + i % 4u;
    let own_column = column + local.x + i / 4u % 2u * EDGE;
    if (own_row < part.end && own_column < N_QUADS) {
      let quad = finish(part, vec4f(blocks[i / 4u][i % 4u]), own_row, own_column);
      writeResult(placeOf(own_row, own_column), quad);
    }
  }
}

@compute @workgroup_size(EDGE, EDGE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let part = partOf(group.z);
  for (var row = part.first + group.x * 4u * TILE; row < part.end; row += groups.x * 4u * TILE) {
    tile(part, row, group.y * TILE, local.xy);
  }
}
