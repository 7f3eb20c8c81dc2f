// How many bytes per second kernels read, write and copy in storage buffers.

import { bindingsOf, type Kernel, read, write } from "../../kernels/kernel.ts";
import { inRuns } from "../../kernels/runs.ts";
import { ceilDiv } from "../../kernels/storage.ts";
import type { CeilingRuns } from "./calibration.ts";
import { measureRate } from "./measure_rate.ts";
import { type Bench, firstWrong, microVariant, type MicroKernel } from "./micro_kernel.ts";

export interface QuadShape {
  /** Of 16 bytes. */
  readonly quads: number;
}

const workgroupSize = 64;
const mostWorkgroups = 16_384;

/** @param perInvocation bytes that an invocation takes in one step */
function grid(perInvocation: number): Kernel<QuadShape>["grid"] {
  return ({ quads }) => [
    Math.min(mostWorkgroups, ceilDiv(16 * quads, perInvocation * workgroupSize)),
    1,
    1,
  ];
}

/** @param passes how often every quad crosses memory: once when it is read or written, twice when copied */
function streaming(
  name: string,
  bindings: Kernel<QuadShape>["bindings"],
  perInvocation: number,
  passes: number,
): Kernel<QuadShape> {
  return {
    name: `calibration/${name}`,
    bindings,
    constants: ({ quads }) => ({ QUADS: quads }),
    grid: grid(perInvocation),
    flops: () => 0,
    bytes: ({ quads }) => 16 * quads * passes,
  };
}

/** As the kernels that compute each quad of their result by itself. */
function inRunsOf(
  name: string,
  bindings: Kernel<QuadShape>["bindings"],
  passes: number,
): Kernel<QuadShape> {
  return {
    ...streaming(name, bindings, 16, passes),
    ...inRuns<QuadShape>(
      ({ quads }) => quads,
      ({ quads }) => ({ QUADS: quads }),
    ),
  };
}

const x = read("x", "u32");
const y = write("y", "u32");

const sums = write("sums", "u32");

export const copy = streaming("copy", [x, y], 16, 2);
export const copies = [
  copy,
  streaming("copy_blocks", [x, y], 64, 2),
  inRunsOf("copy_runs", [x, y], 2),
];
const reads = [
  streaming("read", [x, sums], 16, 1),
  streaming("read_blocks", [x, sums], 64, 1),
  inRunsOf("read_runs", [x, sums], 1),
];
const writes = [
  streaming("write", [y], 16, 1),
  streaming("write_blocks", [y], 64, 1),
  inRunsOf("write_runs", [y], 1),
];

function asMicro(
  kernel: Kernel<QuadShape>,
  findWrong: MicroKernel<QuadShape>["findWrong"],
  resultBytes: MicroKernel<QuadShape>["resultBytes"],
): MicroKernel<QuadShape> {
  return {
    kernel,
    work: (shape) => kernel.bytes(shape, "f32"),
    findWrong,
    resultBytes,
  };
}

/** Two buffers and the words that the first of them holds. */
export interface StreamingBuffers {
  readonly x: GPUBuffer;
  readonly y: GPUBuffer;
  readonly sent: Uint32Array<ArrayBuffer>;
}

export interface StreamingCeilings {
  readonly read: CeilingRuns | undefined;
  readonly write: CeilingRuns | undefined;
  readonly copy: CeilingRuns | undefined;
}

/**
 * Leaves a copy of `x` in `y`.
 *
 * @param only the variants to measure; default: all
 */
export async function measureStreaming(
  bench: Bench,
  buffers: StreamingBuffers,
  budgetMs: number,
  only?: readonly string[],
): Promise<StreamingCeilings> {
  const { sent } = buffers;
  const shape = { quads: sent.length / 4 };
  const allBytes = (): number => sent.byteLength;
  const make = async (micro: MicroKernel<QuadShape>) =>
    microVariant(
      bench,
      micro,
      shape,
      bindingsOf(micro.kernel, shape).map(({ name }) => (name === "x" ? buffers.x : buffers.y)),
    );
  const whole = sumOf(sent);
  const { report } = bench.gpu;
  const invocationsOf = (kernel: Kernel<QuadShape>): number => {
    const [columns, rows] = kernel.grid(shape, report);
    return columns * rows * (kernel.constants(shape, report)["WORKGROUP"] ?? workgroupSize);
  };
  const all = async (
    kernels: readonly Kernel<QuadShape>[],
    findWrong: MicroKernel<QuadShape>["findWrong"],
    resultBytes: (kernel: Kernel<QuadShape>) => number,
  ): Promise<CeilingRuns | undefined> => {
    const variants = kernels
      .filter(({ name }) => only === undefined || only.includes(name))
      .map((kernel) => asMicro(kernel, findWrong, () => resultBytes(kernel)));
    return measureRate(await Promise.all(variants.map(make)), budgetMs);
  };
  return {
    read: await all(
      reads,
      (words) => (sumOf(words) === whole ? undefined : `${sumOf(words)} where ${whole} is right`),
      (kernel) => 4 * invocationsOf(kernel),
    ),
    write: await all(writes, (words) => firstWrong(words, patternAt), allBytes),
    copy: await all(copies, (words) => firstWrong(words, (index) => sent[index] ?? 0), allBytes),
  };
}

function patternAt(index: number): number {
  return Math.floor(index / 4) + (index % 4);
}

/** Modulo 2³². */
function sumOf(words: Uint32Array): number {
  let sum = 0;
  for (const word of words) sum = (sum + word) >>> 0;
  return sum;
}
