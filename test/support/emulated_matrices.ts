// Runs shaders that multiply subgroup matrices on adapters without them: every invocation is a subgroup of one
// lane, and a matrix an array of its own. All but the matrix operations themselves runs as it stands.

import { createPrepare } from "../../src/gpu/dispatch.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";

const operations = `
fn loadLeft(at: u32, pitch: u32) -> Left {
  var m: Left;
  for (var i = 0u; i < MATRIX_M * MATRIX_K; i++) {
    m[i] = xs[at + i / MATRIX_K * pitch + i % MATRIX_K];
  }
  return m;
}

fn loadRight(at: u32, pitch: u32) -> Right {
  var m: Right;
  for (var i = 0u; i < MATRIX_K * MATRIX_N; i++) {
    m[i] = ws[at + i / MATRIX_N * pitch + i % MATRIX_N];
  }
  return m;
}

fn storeSum(at: u32, m: Sum, pitch: u32) {
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    sums[at + i / MATRIX_N * pitch + i % MATRIX_N] = m[i];
  }
}

fn multiplyAdd(a: Left, b: Right, c: Sum) -> Sum {
  var sum = c;
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    for (var k = 0u; k < MATRIX_K; k++) {
      sum[i] += f32(a[i / MATRIX_N * MATRIX_K + k]) * f32(b[k * MATRIX_N + i % MATRIX_N]);
    }
  }
  return sum;
}
`;

/** Quads of y start as the NaN of all ones, so that one that is not was stored before. */
const storedOnce = `select(
    vec4f(1e30),
    finish(part, quad, own_row, own_column),
    bitcast<vec4u>(y[own_row * N_QUADS + own_column]) == vec4u(0xffffffffu),
  )`;

const replacements: readonly (readonly [written: RegExp, emulated: string])[] = [
  [/enable f16;/, ""],
  [/alias Scalar = f\d\d;/, "alias Scalar = f32;"],
  [/enable chromium_experimental_subgroup_matrix;/, ""],
  [/diagnostic\(off, chromium.subgroup_matrix_uniformity\);/, ""],
  [/subgroup_matrix_\w+<(\w+), (\w+), (\w+)>/g, "array<$1, $2 * $3>"],
  [/subgroupMatrixLoad<Left, row_major>\(&xs, /g, "loadLeft("],
  [/subgroupMatrixLoad<Right, row_major>\(&ws, /g, "loadRight("],
  [/subgroupMatrixStore<row_major>\(&sums, /g, "storeSum("],
  [/subgroupMatrixMultiplyAccumulate/g, "multiplyAdd"],
  [/finish\(part, quad, own_row, own_column\)/, storedOnce],
  [/\n.*@builtin\(subgroup_id\).*\n.*@builtin\(num_subgroups\).*/, ""],
  [/let part = partOf.*/, "$&let subgroup = invocation;let subgroups = LANES;"],
];

function emulated(code: string): string {
  return (
    replacements.reduce((text, [written, other]) => text.replace(written, other), code) + operations
  );
}

/**
 * The GPU, with matrices of f32 in place of those that shaders ask for. `LANES` is how many subgroups a
 * workgroup has. A quad that is stored twice gets numbers that no test expects.
 */
export function withEmulatedMatrices(gpu: LogicalGpu): LogicalGpu {
  const device = new Proxy(gpu.device, {
    get(target, name) {
      if (name === "createShaderModule") {
        return (descriptor: GPUShaderModuleDescriptor) =>
          target.createShaderModule({ ...descriptor, code: emulated(descriptor.code) });
      }
      // Shaders that enable it are emulated without.
      if (name === "features") return new Set([...target.features, "shader-f16"]);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...gpu, prepare: createPrepare(device, gpu.report) };
}
