// How many bytes per second kernels load from the memory that a workgroup shares.

import { read, write } from "../../kernels/kernel.ts";
import type { CeilingRuns } from "./calibration.ts";
import { measureRate, type MicroVariant } from "./measure_rate.ts";
import { type Bench, firstWrong, microVariant, type MicroKernel, sized } from "./micro_kernel.ts";

const workgroupSize = 64;
const mostWorkgroups = 16_384;

interface LoadShape {
  readonly workgroups: number;
  readonly iterations: number;
}

const loadsPerIteration = 4;
const tileLength = 256;

/** @param words of one load */
function workgroupRead(name: string, words: number): MicroKernel<LoadShape> {
  const resultBytes = ({ workgroups }: LoadShape): number => 4 * workgroups * workgroupSize;
  return {
    kernel: {
      name: `calibration/${name}`,
      bindings: [read("seeds", "u32"), write("sums", "u32")],
      constants: ({ iterations }) => ({ ITERATIONS: iterations }),
      grid: ({ workgroups }) => [workgroups, 1, 1],
      flops: () => 0,
      bytes: (shape) => 4 + resultBytes(shape),
    },
    work: ({ workgroups, iterations }) =>
      workgroups * workgroupSize * iterations * loadsPerIteration * 4 * words,
    resultBytes,
    findWrong: (found, { iterations }) => {
      const right = Uint32Array.from({ length: workgroupSize }, (_, lane) => {
        let sum = 0;
        for (let load = 0; load < iterations * loadsPerIteration; load += 1) {
          const place = Math.floor(load / 4) + lane + (load % 4) * workgroupSize;
          sum += words * (seed + (place % tileLength));
        }
        return sum;
      });
      return firstWrong(found, (index) => right[index % workgroupSize] ?? 0);
    },
  };
}

const seed = 12_345;
const workgroupReads = [
  workgroupRead("workgroup_read", 4),
  workgroupRead("workgroup_read_words", 1),
];

export async function measureWorkgroupReads(
  bench: Bench,
  budgetMs: number,
): Promise<CeilingRuns | undefined> {
  const seeds = await bench.buffer("seeds", 4);
  bench.gpu.device.queue.writeBuffer(seeds, 0, new Uint32Array([seed]));
  const sums = await bench.buffer("sums", 4 * mostWorkgroups * workgroupSize);
  const variants: MicroVariant[] = [];
  for (const micro of workgroupReads) {
    const make = async (workgroups: number): Promise<MicroVariant> =>
      microVariant(bench, micro, { workgroups, iterations: 256 }, [seeds, sums]);
    variants.push(await sized(make, mostWorkgroups));
  }
  return measureRate(variants, budgetMs);
}
