import { algorithmNames, algorithms } from "../../../src/program/exchange/all_reduce/algorithms.ts";
import { describe, expect, test } from "vitest";
import { collectiveProgram, stagesOf } from "../../../src/program/collective_program.ts";
import type { AlgorithmName } from "../../../src/program/exchange/all_reduce/algorithms.ts";
import { hopsOf } from "../../../src/program/exchange/hops.ts";
import { collectiveOf, type Program } from "../../../src/program/program.ts";
import { noCost, type Cost } from "../../../src/program/simulate/cost.ts";
import { simulate } from "../../../src/program/simulate/simulate.ts";

const count = 2 ** 18;

/** One all-reduce. */
function programOf(algorithm: AlgorithmName, ranks: number, elements = count): Program {
  const sizes = [{ count: elements, repeats: 1 }];
  const program = collectiveProgram({ op: "all-reduce", ranks, dtype: "f32", sizes, algorithm });
  const stage = stagesOf(elements, "out-of-place").time;
  return {
    ...program,
    ranks: program.ranks.map((rank) => ({
      ...rank,
      instructions: rank.instructions.filter(
        (each) => each.origin.stage === stage && collectiveOf(each) !== undefined,
      ),
    })),
  };
}

function wallOf(program: Program, cost: Partial<Cost>, latencyMs: number): number {
  return simulate(
    program,
    program.ranks.map(({ instructions }) => ({
      instructions: instructions.map(() => ({ ...noCost, ...cost })),
      rest: noCost,
    })),
    latencyMs,
  ).wallMs;
}

describe("a sum of all waits once per hop", () => {
  const cases: [AlgorithmName, number, number][] = [
    ["direct", 4, 1],
    ["two-shot", 2, 2],
    ["two-shot", 4, 2],
    // From rank to rank, then to all.
    ["ring", 2, 2],
    ["ring", 4, 4],
    ["ring", 7, 7],
    // Up the tree, then to all: it takes from one child after the other.
    ["tree", 2, 2],
    ["tree", 3, 2],
    ["tree", 7, 3],
  ];
  test.each(cases)("%s, %i ranks: %i", (algorithm, ranks, hops) => {
    expect(wallOf(programOf(algorithm, ranks), {}, 1)).toBeCloseTo(hops, 9);
  });

  test.each(algorithmNames)("%s, as many as it says", (algorithm) => {
    for (const ranks of [2, 3, 4, 7, 8]) {
      const hops = algorithms[algorithm].hops(ranks);
      expect(wallOf(programOf(algorithm, ranks), {}, 1)).toBeCloseTo(hops, 9);
    }
  });
});

test.each(algorithmNames)(
  "%s costs a rank what its instruction cost, however many hops it has",
  (algorithm) => {
    for (const { rank, instructions } of programOf(algorithm, 4).ranks) {
      const [instruction] = instructions;
      const collective = instruction === undefined ? undefined : collectiveOf(instruction);
      if (collective === undefined) throw new Error("one collective");
      const hops = hopsOf(collective, rank);
      const sum = (of: (hop: (typeof hops)[number]) => number): number =>
        hops.reduce((total, hop) => total + of(hop), 0);
      expect(sum(({ sentShare }) => sentShare)).toBeCloseTo(1, 9);
      expect(sum(({ receivedShare }) => receivedShare)).toBeCloseTo(1, 9);
    }
  },
);

test("ranks that all do the same take what their own parts take, in whatever hops", () => {
  for (const algorithm of ["direct", "two-shot", "ring"] as const) {
    expect(wallOf(programOf(algorithm, 4), { readback: 2, upload: 3, reduce: 1 }, 0)).toBeCloseTo(
      6,
      9,
    );
  }
});

test("a message of fewer elements than ranks skips those that have no slice", () => {
  for (const algorithm of ["two-shot", "ring", "tree"] as const) {
    expect(wallOf(programOf(algorithm, 5, 1), {}, 1)).toBeGreaterThanOrEqual(2);
  }
});
