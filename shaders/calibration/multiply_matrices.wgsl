// multiply_matrices: every subgroup adds up four products of subgroup matrices, c = a · b + c, in registers.
//
// The prelude defines what the language wants constant: M, N, K (c is [M, N], the sum runs over K), the types
// Component of a and b and Result of c, and LANES, the size of a workgroup. With a = 1 and b = 1/K every step
// adds 1 to all of c, so that the result counts the steps; f16 counts exactly up to 2048.
//
// factors   f32 [2]   a, b
// result    Result [workgroups, SLOTS, 4, M, N]   c counts up from 1, 2, 3 and 4; slots of subgroups that a
//                                                 workgroup does not have are left alone
// dispatch  workgroups, 1, 1
enable chromium_experimental_subgroup_matrix;

override ITERATIONS: u32;
override SLOTS: u32;  // the most subgroups that a workgroup may have

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<Result>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_id) subgroup: u32) {
  let a = subgroup_matrix_left<Component, K, M>(Component(factors[0]));
  let b = subgroup_matrix_right<Component, N, K>(Component(factors[1]));
  var c0 = subgroup_matrix_result<Result, N, M>(Result(1));
  var c1 = subgroup_matrix_result<Result, N, M>(Result(2));
  var c2 = subgroup_matrix_result<Result, N, M>(Result(3));
  var c3 = subgroup_matrix_result<Result, N, M>(Result(4));
  for (var i = 0u; i < ITERATIONS; i++) {
    c0 = subgroupMatrixMultiplyAccumulate(a, b, c0);
    c1 = subgroupMatrixMultiplyAccumulate(a, b, c1);
    c2 = subgroupMatrixMultiplyAccumulate(a, b, c2);
    c3 = subgroupMatrixMultiplyAccumulate(a, b, c3);
  }
  let first = (group.x * SLOTS + subgroup) * 4u * M * N;
  subgroupMatrixStore(&result, first, c0, false, N);
  subgroupMatrixStore(&result, first + M * N, c1, false, N);
  subgroupMatrixStore(&result, first + 2u * M * N, c2, false, N);
  subgroupMatrixStore(&result, first + 3u * M * N, c3, false, N);
}
