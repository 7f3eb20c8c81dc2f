// Times several dispatches in turns, so that whatever else the machine does meets them all, and ratios are
// taken within a round. tinybench, which times what stands for itself, finishes one task before the next begins.

import type { LogicalGpu, PreparedKernel } from "../src/gpu/logical_gpu.ts";
import type { Timestamps } from "../src/gpu/timestamps.ts";
import { submit } from "./bind_case.ts";

/** Of one run, on average over those of a sample. */
export interface Sample {
  /** Between the timestamps around the pass; absent where the adapter has none. */
  readonly gpuMs?: number;
  /** From submitting to hearing that all is done. */
  readonly wallMs: number;
  /** Of all threads of this process: a software adapter's work, which other load moves little. */
  readonly cpuMs: number;
}

export interface Turns {
  /** Runs to a sample. */
  readonly repeats: number;
  readonly samples: readonly Sample[];
}

const mostRounds = 9;
// With fewer there is no interval.
const leastRounds = 5;
const budgetMs = 20_000;
// Long enough for the clock and for what a submission costs.
const sampleMs = 20;

/** As many rounds as fit into 20 s, but five to nine. Everything must have run before. */
export async function takeTurns(
  gpu: LogicalGpu,
  timestamps: Timestamps | undefined,
  kernels: readonly PreparedKernel[],
): Promise<Turns[]> {
  const runners = [];
  let roundMs = 0;
  for (const kernel of kernels) {
    const { wallMs } = await sampleOf(gpu, timestamps, kernel, 1);
    const repeats = Math.max(1, Math.ceil(sampleMs / wallMs));
    roundMs += wallMs * repeats;
    runners.push({ kernel, repeats, samples: [] as Sample[] });
  }
  const rounds = Math.max(leastRounds, Math.min(mostRounds, Math.floor(budgetMs / roundMs)));
  for (let round = 0; round < rounds; round += 1) {
    for (const { kernel, repeats, samples } of runners) {
      samples.push(await sampleOf(gpu, timestamps, kernel, repeats));
    }
  }
  return runners;
}

/** One sample, of so many runs. */
export async function sampleOf(
  gpu: LogicalGpu,
  timestamps: Timestamps | undefined,
  kernel: PreparedKernel,
  repeats: number,
): Promise<Sample> {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  await submit(gpu, kernel, repeats, timestamps?.passDescriptor(0));
  const wallMs = performance.now() - before;
  const { user, system } = process.cpuUsage(cpuBefore);
  const [begin = 0, end = 0] = (await timestamps?.read(1)) ?? [];
  return {
    wallMs: wallMs / repeats,
    cpuMs: (user + system) / 1000 / repeats,
    ...(end > begin ? { gpuMs: (end - begin) / repeats } : {}),
  };
}

/** What rates and ratios rest on: CPU time on a software adapter, else the GPU's time, else wall time. */
export function clockOf(software: boolean) {
  return ({ cpuMs, gpuMs, wallMs }: Sample): number => (software ? cpuMs : (gpuMs ?? wallMs));
}
