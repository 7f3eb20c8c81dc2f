// The most multiply-adds per second that subgroup matrices get out of an adapter.

import { NumericsError } from "../../numerics_error.ts";
import { floatsOfHalves } from "../../kernels/half.ts";
import type { SubgroupMatrix } from "../../kernels/kernel.ts";
import type { AdapterReport } from "../adapter.ts";
import { compileModule } from "../dispatch.ts";
import type { PreparedKernel } from "../logical_gpu.ts";
import { readBuffer } from "../read_back.ts";
import { loadShader, type ShaderSource } from "../shader_source.ts";
import { timeKernel } from "../time_kernel.ts";
import type { CeilingRuns } from "./calibration.ts";
import { measureRate, type MicroVariant } from "./measure_rate.ts";
import { type Bench, sized } from "./micro_kernel.ts";

const shader = "calibration/multiply_matrices";
const iterations = 1024;
const chains = 4;
const mostWorkgroups = 4096;
/** Of the largest size, in a workgroup. */
const subgroups = 4;

/**
 * Undefined where the adapter has none whose results are right.
 *
 * @param only the one variant to measure; default: all
 */
export async function measureMatrices(
  bench: Bench,
  budgetMs: number,
  only?: string,
): Promise<CeilingRuns | undefined> {
  const variants: MicroVariant[] = [];
  for (const matrix of bench.gpu.report.subgroupMatrices ?? []) {
    if (only !== undefined && nameOf(matrix) !== only) continue;
    const variant = await tryMatrix(bench, matrix);
    if (variant !== undefined) variants.push(variant);
  }
  return measureRate(variants, budgetMs);
}

/** Drivers list what they then refuse; what is refused, or computes wrong, is no ceiling. */
async function tryMatrix(bench: Bench, matrix: SubgroupMatrix): Promise<MicroVariant | undefined> {
  const { device, report } = bench.gpu;
  const layout = matrixLayout(report);
  device.pushErrorScope("validation");
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: nameOf(matrix),
      layout: "auto",
      compute: {
        module: await compileModule(device, await matrixSource(matrix, layout.lanes)),
        constants: { ITERATIONS: iterations, SLOTS: layout.slots },
      },
    });
    const prepare = await preparation(bench, matrix, layout, pipeline);
    return await sized(prepare, mostWorkgroups);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    return undefined;
  } finally {
    await device.popErrorScope();
  }
}

interface MatrixLayout {
  /** Invocations of a workgroup: a multiple of the largest subgroup. */
  readonly lanes: number;
  /** The most subgroups that these may make. */
  readonly slots: number;
}

export function matrixLayout({ subgroupSize, limits }: AdapterReport): MatrixLayout {
  const { min, max } = subgroupSize ?? { min: 32, max: 32 };
  const most = limits["maxComputeInvocationsPerWorkgroup"] ?? 256;
  const lanes = max * Math.max(1, Math.min(subgroups, Math.floor(most / max)));
  return { lanes, slots: lanes / min };
}

/** The shader with what it must know as constants. */
export async function matrixSource(
  { component, result, m, n, k }: SubgroupMatrix,
  lanes: number,
): Promise<ShaderSource> {
  const { name, code, parts } = await loadShader(shader);
  const linesBefore = parts[0]?.linesBefore ?? 0;
  const definitions = [
    `const M = ${m};`,
    `const N = ${n};`,
    `const K = ${k};`,
    `const LANES = ${lanes};`,
    `alias Component = ${component};`,
    `alias Result = ${result};`,
  ];
  const enables = component === "f16" || result === "f16" ? ["enable f16;"] : [];
  const lines = code.split("\n");
  return {
    name,
    code: [
      ...enables,
      ...lines.slice(0, linesBefore),
      ...definitions,
      ...lines.slice(linesBefore),
    ].join("\n"),
    parts: [{ name, linesBefore: linesBefore + enables.length + definitions.length }],
  };
}

function nameOf({ component, result, m, n, k }: SubgroupMatrix): string {
  return `${shader} ${component}→${result} ${m}×${n}×${k}`;
}

/** Makes the variant of so many workgroups. How many subgroups these have is seen in what they leave behind. */
async function preparation(
  bench: Bench,
  matrix: SubgroupMatrix,
  { slots }: MatrixLayout,
  pipeline: GPUComputePipeline,
): Promise<(workgroups: number) => Promise<MicroVariant>> {
  const { gpu, timestamps } = bench;
  const name = nameOf(matrix);
  const { m, n, k } = matrix;
  const isHalf = matrix.result === "f16";
  const slotElements = chains * m * n;
  const slotBytes = slotElements * (isHalf ? 2 : 4);
  const factors = await bench.buffer("matrix factors", 8);
  gpu.device.queue.writeBuffer(factors, 0, new Float32Array([1, 1 / k]));
  const result = await bench.buffer("matrix result", mostWorkgroups * slots * slotBytes);
  const bindGroup = gpu.device.createBindGroup({
    label: name,
    layout: pipeline.getBindGroupLayout(0),
    entries: [factors, result].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const dispatch = (workgroups: number): PreparedKernel => ({
    label: name,
    variant: { name: shader, constants: {}, grid: [workgroups, 1, 1] },
    encode(pass) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups);
    },
  });
  /** Subgroups of each workgroup. */
  const runChecked = async (workgroups: number): Promise<number> => {
    const encoder = gpu.device.createCommandEncoder({ label: name });
    encoder.clearBuffer(result, 0, workgroups * slots * slotBytes);
    gpu.device.queue.submit([encoder.finish()]);
    await timeKernel(gpu, dispatch(workgroups), timestamps);
    const bytes = await readBuffer(gpu, result, workgroups * slots * slotBytes);
    const values = isHalf ? floatsOfHalves(new Uint16Array(bytes)) : new Float32Array(bytes);
    return countSubgroups(values, workgroups, slots, slotElements);
  };
  const found = await runChecked(1);
  return async (workgroups) => ({
    name,
    work: workgroups * found * chains * 2 * m * n * k * iterations,
    run: async () => timeKernel(gpu, dispatch(workgroups), timestamps),
    async verify() {
      if ((await runChecked(workgroups)) === found) return;
      throw new NumericsError(`${name}: workgroups differ in their subgroups`, 1, 0);
    },
  });
}

/**
 * Of each workgroup, which are all alike; slots that no subgroup took hold zeros.
 *
 * @param values [workgroups, slots, chains, m · n]
 */
export function countSubgroups(
  values: Float32Array,
  workgroups: number,
  slots: number,
  slotElements: number,
): number {
  const count = Array.from({ length: slots }, (_, slot) => values[slot * slotElements] ?? 0).filter(
    (value) => value !== 0,
  ).length;
  const perChain = slotElements / chains;
  for (let index = 0; index < workgroups * slots * slotElements; index += 1) {
    const slot = Math.floor(index / slotElements) % slots;
    const chain = Math.floor(index / perChain) % chains;
    const right = slot < count ? iterations + 1 + chain : 0;
    if (values[index] === right) continue;
    throw new NumericsError(`${shader} gives ${values[index]} where ${right} is right`, 1, 0);
  }
  if (count === 0) throw new NumericsError(`${shader} computes nothing`, 1, 0);
  return count;
}
