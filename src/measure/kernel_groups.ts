// Kernels of the model that do the same work on the same adapter, and how long they took in a step.

import { type KernelWork, kernelWorkOf, workKey } from "../program/kernel_work.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import { wholeNanoseconds } from "./sample.ts";

export interface KernelGroup extends KernelWork {
  /** `RankAdapter.id`. */
  readonly adapter: string;
  readonly ranks: readonly number[];
  /** In one step, over all these ranks. */
  readonly uses: number;
}

export interface KernelGroups {
  /** In the order in which a step first meets them. */
  readonly groups: readonly KernelGroup[];
  /** By rank and index of instruction: index into `groups`. */
  readonly groupOf: readonly ReadonlyMap<number, number>[];
}

/** @param adapters by rank */
export function groupKernels(program: Program, adapters: readonly string[]): KernelGroups {
  const places = new Map<string, number>();
  const groups: KernelGroup[] = [];
  const groupOf = program.ranks.map(({ rank, instructions }) => {
    const own = new Map<number, number>();
    const adapter = adapters[rank] ?? "";
    for (const [index, instruction] of instructions.entries()) {
      const work = kernelWorkOf(instruction);
      if (work === undefined) continue;
      const key = `${adapter} ${workKey(work)}`;
      const place = places.get(key) ?? groups.length;
      places.set(key, place);
      const group = groups[place] ?? { ...work, adapter, ranks: [], uses: 0 };
      groups[place] = {
        ...group,
        uses: group.uses + 1,
        ranks: group.ranks.includes(rank) ? group.ranks : [...group.ranks, rank],
      };
      own.set(index, place);
    }
    return own;
  });
  return { groups, groupOf };
}

/**
 * ms on the GPU of each group in one step, over all its ranks.
 *
 * Undefined where kernels of several instructions were timed as one, or where one was not timed: what each took
 * is not known then.
 */
export function kernelTimes(
  { groups, groupOf }: KernelGroups,
  trace: StepTrace,
): readonly number[] | undefined {
  const times = groups.map(() => 0);
  const timed = groups.map(() => 0);
  for (const { rank, spans } of trace.ranks) {
    const seen = new Set<number>();
    for (const { kind, instruction, startMs, endMs } of spans) {
      if (kind !== "compute") continue;
      const place = instruction === undefined ? undefined : groupOf[rank]?.get(instruction);
      if (instruction === undefined || place === undefined) return undefined;
      times[place] = (times[place] ?? 0) + (endMs - startMs);
      if (!seen.has(instruction)) timed[place] = (timed[place] ?? 0) + 1;
      seen.add(instruction);
    }
  }
  return groups.every(({ uses }, place) => uses === timed[place])
    ? times.map(wholeNanoseconds)
    : undefined;
}
