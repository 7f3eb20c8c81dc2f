// matmul_matrix: y = finish(x · w), as matmul, for GPUs whose subgroups multiply matrices.
//
// A workgroup computes a tile of BLOCK_ROWS × BLOCK_COLUMNS blocks of y, each of 32 × 32 elements in the registers
// of one subgroup. It walks along k in steps of DEPTH elements, which its invocations bring into workgroup memory
// as Scalars; past the end of k there are zeros. What a step multiplies is added up in f32. How many subgroups
// a workgroup has, drivers decide: where they are fewer than the blocks they take turns, where they are more
// the rest only load and finish.
//
// The prelude defines the matrices that subgroups multiply: MATRIX_M × MATRIX_N over MATRIX_K, all of which
// divide 32, and Scalar, the type of their elements.
//
// y         [rows, N_QUADS], rows Y_QUADS apart, which `results` declares
// dispatch  workgroups for the rows, 32 · BLOCK_ROWS each, fewer of which take turns;
//           ceil(N_QUADS / (8 · BLOCK_COLUMNS)); parts
enable chromium_experimental_subgroup_matrix;
// Branches on the number of a subgroup are uniform within it, which is what its matrices need.
diagnostic(off, chromium.subgroup_matrix_uniformity);

override N: u32;
override K: u32;
override BLOCK_ROWS: u32;
override BLOCK_COLUMNS: u32;
override DEPTH: u32;  // a multiple of MATRIX_K
override LANES: u32;  // invocations of a workgroup: a multiple of the largest subgroup
override K_QUADS: u32 = (K + 3u) / 4u;
override N_QUADS: u32 = (N + 3u) / 4u;
override BLOCKS: u32 = BLOCK_ROWS * BLOCK_COLUMNS;
override TILE_ROWS: u32 = BLOCK_ROWS * BLOCK;
override TILE_QUADS: u32 = BLOCK_COLUMNS * BLOCK / 4u;
override DEPTH_QUADS: u32 = DEPTH / 4u;
// From one row to the next; 8 elements more than there are, so that rows begin in different banks.
override X_PITCH: u32 = DEPTH + 8u;
override W_PITCH: u32 = BLOCK_COLUMNS * BLOCK + 8u;

const BLOCK = 32u;
const DOWN = BLOCK / MATRIX_M;    // matrices of a block
const ACROSS = BLOCK / MATRIX_N;
const BAND = MATRIX_M * BLOCK;    // elements of a row of them

alias Vector = vec4<Scalar>;
alias Block = mat4x4<Scalar>;
alias Left = subgroup_matrix_left<Scalar, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Scalar, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

var<workgroup> xs: array<Scalar, TILE_ROWS * X_PITCH>;  // [TILE_ROWS, X_PITCH]
var<workgroup> ws: array<Scalar, DEPTH * W_PITCH>;      // [DEPTH, W_PITCH]
var<workgroup> sums: array<f32, BLOCKS * BAND>;         // [BLOCKS, MATRIX_M, BLOCK]

fn operand(q: Quad) -> Vector {
  return Vector(unpackQuad(q));
}

// Neighbours along k. Rows past the part's end repeat the last; they are not stored.
fn putInputs(part: Part, row: u32, k: u32, invocation: u32) {
  for (var i = invocation; i < TILE_ROWS / 4u * DEPTH_QUADS; i += LANES) {
    let own_row = i / DEPTH_QUADS * 4u;
    let own_k = i % DEPTH_QUADS;
    let quad = min(k + own_k, max(depthOf(part), 1u) - 1u);
    let block = Scalar(k + own_k < depthOf(part)) * inputBlock(Block(
      inputQuad(inputStart(part, row + own_row, 0u), quad),
      inputQuad(inputStart(part, row + own_row, 1u), quad),
      inputQuad(inputStart(part, row + own_row, 2u), quad),
      inputQuad(inputStart(part, row + own_row, 3u), quad),
    ));
    for (var j = 0u; j < 4u; j++) {
      let at = (own_row + j) * X_PITCH + 4u * own_k;
      xs[at] = block[j].x;
      xs[at + 1u] = block[j].y;
      xs[at + 2u] = block[j].z;
      xs[at + 3u] = block[j].w;
    }
  }
}

// Neighbours along the columns. Columns past the last quad repeat it; they are not stored. Quads past the end
// of k repeat the last, too, and meet zeros of x.
fn putWeights(part: Part, column: u32, k: u32, invocation: u32) {
  for (var i = invocation; i < DEPTH_QUADS * TILE_QUADS; i += LANES) {
    let own_k = i / TILE_QUADS;
    let own_column = i % TILE_QUADS;
    let start = weightStart(part, min(column + own_column, N_QUADS - 1u));
    let block = weightBlock(start, min(k + own_k, max(depthOf(part), 1u) - 1u));
    for (var j = 0u; j < 4u; j++) {
      let at = (4u * own_k + j) * W_PITCH + 4u * own_column;
      ws[at] = block[j].x;
      ws[at + 1u] = block[j].y;
      ws[at + 2u] = block[j].z;
      ws[at + 3u] = block[j].w;
    }
  }
}

// What is in `sums` of row `down` of the matrices of blocks `first` to `end`.
fn store(part: Part, row: u32, column: u32, down: u32, first: u32, end: u32, invocation: u32) {
  for (var i = first * BAND / 4u + invocation; i < end * BAND / 4u; i += LANES) {
    let block = i / (BAND / 4u);
    let own_row = row + block / BLOCK_COLUMNS * BLOCK + down * MATRIX_M + i / (BLOCK / 4u) % MATRIX_M;
    let own_column = column + block % BLOCK_COLUMNS * (BLOCK / 4u) + i % (BLOCK / 4u);
    if (own_row < part.end && own_column < N_QUADS) {
      let quad = vec4f(sums[4u * i], sums[4u * i + 1u], sums[4u * i + 2u], sums[4u * i + 3u]);
      writeResult(placeOf(own_row, own_column), finish(part, quad, own_row, own_column));
    }
  }
}

// Blocks `first` to `end` of a tile, of which the subgroup has `block`, if that is one of them.
fn blocks(part: Part, row: u32, column: u32, first: u32, end: u32, block: u32, invocation: u32) {
  let top = block / BLOCK_COLUMNS * BLOCK * X_PITCH;
  let left = block % BLOCK_COLUMNS * BLOCK;
  var products: array<array<Sum, ACROSS>, DOWN>;
  for (var k = 0u; k < depthOf(part); k += DEPTH_QUADS) {
    putInputs(part, row, k, invocation);
    putWeights(part, column, k, invocation);
    workgroupBarrier();
    if (block < end) {
      for (var step = 0u; step < DEPTH; step += MATRIX_K) {
        var rights: array<Right, ACROSS>;
        for (var j = 0u; j < ACROSS; j++) {
          rights[j] = subgroupMatrixLoad<Right, row_major>(&ws, step * W_PITCH + left + j * MATRIX_N, W_PITCH);
        }
        for (var i = 0u; i < DOWN; i++) {
          let at = top + i * MATRIX_M * X_PITCH + step;
          let rows = subgroupMatrixLoad<Left, row_major>(&xs, at, X_PITCH);
          for (var j = 0u; j < ACROSS; j++) {
            products[i][j] = subgroupMatrixMultiplyAccumulate(rows, rights[j], products[i][j]);
          }
        }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < DOWN; i++) {
    if (block < end) {
      for (var j = 0u; j < ACROSS; j++) {
        subgroupMatrixStore<row_major>(&sums, block * BAND + j * MATRIX_N, products[i][j], BLOCK);
      }
    }
    workgroupBarrier();
    store(part, row, column, i, first, end, invocation);
    workgroupBarrier();
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  let part = partOf(group.z);
  let column = group.y * TILE_QUADS;
  for (var row = part.first + group.x * TILE_ROWS; row < part.end; row += groups.x * TILE_ROWS) {
    for (var first = 0u; first < BLOCKS; first += subgroups) {
      let end = min(first + subgroups, BLOCKS);
      blocks(part, row, column, first, end, first + subgroup, invocation);
    }
  }
}
