// How many elements a rank gives to a collective, and how many it gets, as NCCL counts them.

import type { Collective } from "../../program/program.ts";

export interface MessageSizes {
  readonly input: number;
  readonly output: number;
}

/** Of what a router decides, an even part of all rows. */
export function messageSizes(collective: Collective, rank: number): MessageSizes {
  const { from, to } = collective;
  const i = from.indexOf(rank);
  const j = to.indexOf(rank);
  const sizes = sizesOf(collective, i, j);
  return { input: i < 0 ? 0 : sizes.input, output: j < 0 ? 0 : sizes.output };
}

function sizesOf(collective: Collective, i: number, j: number): MessageSizes {
  switch (collective.op) {
    case "all-gather":
    case "gather":
      return { input: collective.counts[i] ?? 0, output: sum(collective.counts) };
    case "reduce-scatter":
    case "scatter":
      return { input: sum(collective.counts), output: collective.counts[j] ?? 0 };
    case "all-to-all":
      return {
        input: sum(collective.counts[i] ?? []),
        output: sum(collective.counts.map((row) => row[j] ?? 0)),
      };
    case "all-reduce":
    case "reduce":
    case "broadcast":
    case "send":
    case "recv":
      return { input: collective.count, output: collective.count };
    case "expert-dispatch":
    case "expert-combine": {
      const all = collective.rows * collective.rowElements;
      return { input: all / collective.from.length, output: all / collective.to.length };
    }
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
