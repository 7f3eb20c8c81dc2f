// One case against the adapter's ceilings: checked, timed in turns with them, set in relation.

import { isDeepStrictEqual } from "node:util";
import type { LogicalGpu } from "../src/gpu/logical_gpu.ts";
import type { Timestamps } from "../src/gpu/timestamps.ts";
import { type Variant, variantOf } from "../src/kernels/variant.ts";
import { medianInterval } from "../src/measure/median_interval.ts";
import { median } from "../src/measure/statistics.ts";
import { bindCase, submit } from "./bind_case.ts";
import type { CeilingKernel } from "./ceilings.ts";
import type { KernelCase } from "./kernel_case.ts";
import { clockOf, type Sample, takeTurns } from "./take_turns.ts";
import { tunedVariant } from "./tuned_variant.ts";

export interface VariantFigures {
  readonly variant: Variant;
  /** Tuning prefers it to the variant that is selected untuned. */
  readonly tuned: boolean;
  /** What it computes wrong; then it is not timed. */
  readonly wrong?: string;
  readonly samples: readonly Sample[];
  /** FLOPs and bytes per second of the clock that `clockOf` names. */
  readonly flopsPerSecond?: number;
  readonly bytesPerSecond?: number;
  /** Least time that the ceilings allow, over the time taken; round by round. */
  readonly share?: number;
  readonly shareInterval?: readonly [low: number, high: number];
}

export interface CaseFigures {
  readonly name: string;
  /** Which ceiling leaves it the longer least time. */
  readonly bound: "FMA" | "copy";
  readonly flops: number;
  readonly bytes: number;
  readonly variants: readonly VariantFigures[];
}

export interface BenchGpu {
  readonly gpu: LogicalGpu;
  readonly timestamps: Timestamps | undefined;
  readonly ceilings: readonly CeilingKernel[];
}

/** The variant that is selected untuned, and the one that tuning finds where that is another. */
export async function measureCase(
  { gpu, timestamps, ceilings }: BenchGpu,
  one: KernelCase,
): Promise<CaseFigures> {
  const bound = await bindCase(gpu, one);
  const { kernel, shape, dtype, buffers, label } = bound.call;
  const untuned = variantOf(kernel, shape, gpu.report, dtype);
  const tuned = await tunedVariant(gpu, bound.call);
  const candidates = [];
  for (const variant of isDeepStrictEqual(untuned, tuned) ? [untuned] : [untuned, tuned]) {
    const prepared = await gpu.prepare(kernel, shape, dtype, buffers, label, variant);
    candidates.push({ variant, prepared, wrong: await bound.findWrong(prepared) });
  }
  const right = candidates.filter(({ wrong }) => wrong === undefined);
  for (const { prepared } of ceilings) await submit(gpu, prepared);
  const turns = await takeTurns(gpu, timestamps, [
    ...ceilings.map(({ prepared }) => prepared),
    ...right.map(({ prepared }) => prepared),
  ]);
  bound.release();

  const clock = clockOf(gpu.report.choice.software);
  const flops = kernel.flops(shape);
  const bytes = kernel.bytes(shape, dtype);
  // Per round, the least ms for the work at hand.
  const leastOf = (which: CeilingKernel["bound"], work: number): number[] => {
    const own = ceilings.flatMap(({ bound: of, work: done }, index) =>
      of === which ? [(turns[index]?.samples ?? []).map((s) => (clock(s) * work) / done)] : [],
    );
    return (own[0] ?? []).map((_, round) => Math.min(...own.map((times) => times[round] ?? 0)));
  };
  const byArithmetic = leastOf("FMA", flops);
  const byMemory = leastOf("copy", bytes);
  const isArithmetic = median(byArithmetic) > median(byMemory);
  const least = isArithmetic ? byArithmetic : byMemory;
  return {
    name: one.name,
    bound: isArithmetic ? "FMA" : "copy",
    flops,
    bytes,
    variants: candidates.map(({ variant, wrong }) => {
      const index = right.findIndex((candidate) => candidate.variant === variant);
      const samples = turns[ceilings.length + index]?.samples ?? [];
      const head = { variant, tuned: variant !== untuned };
      if (wrong !== undefined) return { ...head, wrong, samples: [] };
      const times = samples.map(clock);
      const shares = times.map((time, round) => (least[round] ?? Number.NaN) / time);
      const interval = medianInterval(shares);
      return {
        ...head,
        samples,
        flopsPerSecond: (flops / median(times)) * 1000,
        bytesPerSecond: (bytes / median(times)) * 1000,
        share: median(shares),
        ...(interval === undefined ? {} : { shareInterval: interval }),
      };
    }),
  };
}
