import { expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { linear, plan } from "../support/plans.ts";
import { worstError } from "../support/worst_error.ts";

type Groups = number[][];

function aggregating(split: "column" | "row", before: Groups, groups: Groups): Plan {
  return plan(
    "aggregating",
    4,
    [[linear(6, 8, split, before)], [{ op: "aggregate", over: "batch", groups }]],
    { workload: { batch: 6, microBatches: 1, sequence: 1 } },
  );
}

function kernelsOn(given: Plan, rank: number): string[] {
  return lower(given).ranks[rank]!.instructions.flatMap((instruction) =>
    instruction.op === "kernel" && instruction.origin.layer.endsWith("aggregate")
      ? [`${instruction.kernel} ${JSON.stringify(instruction.shape)}`]
      : [],
  );
}

test("a tensor group that aggregates divides the columns", async () => {
  const given = aggregating("row", [[0, 1]], [[2, 3]]);
  expect(kernelsOn(given, 3)).toEqual([
    'slice_columns {"rows":6,"inputColumns":8,"offset":4,"columns":4}',
    `aggregate {"rows":6,"columns":4,"group":6,"scale":${1 / 6}}`,
  ]);
  expect(await worstError(given)).toBeLessThan(1e-6);
});

test("columns that are divided already are aggregated where they are", async () => {
  const given = aggregating("column", [[0, 1]], [[0, 1]]);
  expect(kernelsOn(given, 0)).toHaveLength(1);
  const moved = lower(given).ranks.flatMap(({ instructions }) =>
    instructions.filter(({ op }) => op === "all-gather"),
  );
  expect(moved).toEqual([]);
  expect(await worstError(given)).toBeLessThan(1e-6);
});

test("means of replicas are summed whole", async () => {
  const given = aggregating("row", [[0, 1]], [[0], [2], [3]]);
  expect(kernelsOn(given, 2)).toEqual([
    `aggregate {"rows":2,"columns":8,"group":2,"scale":${1 / 6}}`,
  ]);
  expect(await worstError(given)).toBeLessThan(1e-6);
});
