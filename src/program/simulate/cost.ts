// What an instruction takes on its rank while no other rank is at work.

import type { RankTrace, SpanKind } from "../trace.ts";

/**
 * ms by kind. Of a transfer, readback, move and upload are the host's; of any other instruction they are work
 * of the GPU, done in its turn.
 */
export interface Cost {
  readonly host: number;
  readonly compute: number;
  readonly readback: number;
  readonly move: number;
  readonly upload: number;
  readonly reduce: number;
}

export const costKinds = ["host", "compute", "readback", "move", "upload", "reduce"] as const;

export const noCost: Cost = {
  host: 0,
  compute: 0,
  readback: 0,
  move: 0,
  upload: 0,
  reduce: 0,
};

export interface RankCosts {
  /** By index of instruction. */
  readonly instructions: readonly Cost[];
  /** What no instruction is charged with: the end of the step. */
  readonly rest: Cost;
}

/**
 * Costs of one step, waits left out. Undefined where kernels of several instructions were timed as one.
 *
 * @param instructions how many the rank has
 */
export const costsOfTrace = (trace: RankTrace, instructions: number): RankCosts | undefined => {
  const open = (): Open => ({ ...noCost });
  const own = Array.from({ length: instructions }, open);
  const rest = open();
  for (const { kind, instruction, startMs, endMs } of trace.spans) {
    if (kind === "wait") continue;
    if (instruction === undefined && isKernel(kind)) return undefined;
    const cost = (instruction === undefined ? undefined : own[instruction]) ?? rest;
    cost[kind] += endMs - startMs;
  }
  return { instructions: own, rest };
};

type Open = { -readonly [Kind in keyof Cost]: number };

const isKernel = (kind: SpanKind): boolean => kind === "compute" || kind === "reduce";

/** Median of each part over repeats of the same instructions. */
export const medianCosts = (repeats: readonly RankCosts[]): RankCosts => {
  const medianOf = (costOf: (costs: RankCosts) => Cost | undefined): Cost => {
    const cost = { ...noCost } as Open;
    for (const kind of costKinds) {
      const values = repeats.flatMap((costs) => costOf(costs)?.[kind] ?? []);
      cost[kind] = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    }
    return cost;
  };
  const [first] = repeats;
  return {
    instructions: (first?.instructions ?? []).map((_, i) =>
      medianOf(({ instructions }) => instructions[i]),
    ),
    rest: medianOf(({ rest }) => rest),
  };
};
