import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlanFile } from "../../src/plan/schema.ts";
import { degreeSpace } from "../../src/search/degree_space.ts";
import { divisors } from "../../src/plan/divisors.ts";
import { balancedStages, filesByDegrees, splitKey } from "../../src/search/degrees.ts";
import { dense, experts, overheads, peaks, planOf, training } from "./plans.ts";

function even(): undefined {
  return undefined;
}

describe("balanced stages", () => {
  test("have the least largest sum of all contiguous splits", () => {
    const work = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 7 });
    const ends = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(
        work,
        fc.integer({ min: 2, max: 3 }),
        ends,
        ends,
        (blocks, stages, first, last) => {
          const counts = balancedStages(blocks, stages, first, last);
          expect(counts).toHaveLength(stages);
          expect(counts.every((count) => count >= 1)).toBe(true);
          const best = Math.min(
            ...splits(blocks.length, stages).map((split) => largest(blocks, split, first, last)),
          );
          expect(largest(blocks, counts, first, last)).toBe(best);
        },
      ),
    );
  });

  test("a heavy head gets a stage with fewer blocks", () => {
    expect(balancedStages([1, 1, 1, 1, 1, 1], 2, 0, 2)).toEqual([4, 2]);
  });
});

function splits(blocks: number, stages: number): number[][] {
  if (stages === 1) return [[blocks]];
  return Array.from({ length: blocks - stages + 1 }, (_, i) => i + 1).flatMap((count) =>
    splits(blocks - count, stages - 1).map((rest) => [count, ...rest]),
  );
}

function largest(
  blocks: readonly number[],
  counts: readonly number[],
  first: number,
  last: number,
): number {
  let next = 0;
  const sums = counts.map((count, stage) => {
    const own = blocks.slice(next, next + count).reduce((sum, work) => sum + work, 0);
    next += count;
    return own + (stage === 0 ? first : 0) + (stage === counts.length - 1 ? last : 0);
  });
  return Math.max(...sums);
}

test("divisors ascend, each once", () => {
  expect(divisors(36)).toEqual([1, 2, 3, 4, 6, 9, 12, 18, 36]);
  expect(divisors(1)).toEqual([1]);
});

test.each([dense, training, experts])("$name: every split is asked for once", (file) => {
  const keys = filesByDegrees(file, 4, even).map(splitKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toContain(splitKey({ ...file, optimizations: [] }));
});

test("inference keeps its order and computes nothing again; training varies both", () => {
  const kinds = (files: ReturnType<typeof filesByDegrees>): number =>
    new Set(files.map(({ workload }) => `${workload.schedule} ${workload.recompute?.granularity}`))
      .size;
  expect(kinds(filesByDegrees(dense, 4, even))).toBe(1);
  expect(kinds(filesByDegrees(training, 4, even))).toBe(4);
});

test("with 3 GPUs, 2 of them share attention and all of them the experts", () => {
  const batch = { ...experts.workload, batch: 1, microBatches: 1 };
  const found = filesByDegrees({ ...experts, workload: batch }, 3, even);
  expect(found.map(({ parallel }) => parallel)).toContainEqual({
    tensor: 2,
    pipeline: 1,
    data: 1,
    expert: 3,
    expertGroup: [0, 1, 2],
  });
});

test("selective recomputation stays a choice where the plan has it", () => {
  const recompute = { granularity: "selective" } as const;
  const file: PlanFile = { ...training, workload: { ...training.workload, recompute } };
  const space = degreeSpace(file, planOf(file), peaks, overheads);
  const { files } = space;
  const granularities = new Set(files.map(({ workload }) => workload.recompute?.granularity));
  expect(granularities).toEqual(new Set([undefined, "full", "selective"]));
  const split = files.find(({ workload }) => workload.recompute?.granularity === "selective");
  if (split === undefined) throw new Error("no such plan");
  const { stepMs } = space.predict(split, planOf(split));
  expect(stepMs).toBeGreaterThanOrEqual(space.boundsOf(split).wire.stepMs);
});
