// What the backward pass computes again: ops before and after, and what follows from them for memory, FLOPs and time.

import { describe, expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { estimate, estimatePlan } from "../../../src/program/estimate.ts";
import { lower } from "../../../src/program/lower.ts";
import type { Op } from "../../../src/program/op.ts";
import { readBy, writtenBy } from "../../../src/program/operands.ts";
import { runPasses } from "../../../src/program/passes/passes.ts";
import { planOps } from "../../../src/program/plan_ops.ts";
import { schedulingOf } from "../../../src/program/schedule/scheduling.ts";
import { simulateHardware } from "../../../src/program/simulate/simulate_hardware.ts";
import { worstError } from "../../support/worst_error.ts";
import {
  full,
  selective,
  trainedCases,
  trainedPlan,
  ways,
} from "../../support/recomputed_plans.ts";

/** The backward ops of one position. */
function backwardOf(plan: Plan, position = 0): Op[] {
  const slots = runPasses(planOps(plan).ops, plan, schedulingOf(plan), 1);
  return slots
    .flatMap(({ ops }) => ops)
    .filter((op) => op.origin.phase === "backward" && op.ranks.includes(position));
}

function wordsOf(ops: readonly Op[]): string[] {
  return ops.map((op) => `${op.op}${op.origin.isRecomputed === true ? " again" : ""}`);
}

function again(ops: readonly Op[]): Op[] {
  return ops.filter(({ origin }) => origin.isRecomputed === true);
}

function products(ops: readonly Op[]): number {
  return ops.filter(({ op }) => op === "matmul" || op === "attention").length;
}

test("full: a block's forward ops come again before its backward ops, one block at a time", () => {
  // A gradient comes from the stage behind.
  const [first, ...words] = wordsOf(backwardOf(trainedPlan({ recompute: full, layers: 2 })));
  expect(first).toBe("collective");
  const block = ["norm", "matmul", "attention", "matmul", "norm", "matmul", "matmul", "matmul"];
  expect(words.slice(0, 8)).toEqual(block.map((op) => `${op} again`));
  expect(words.slice(8)).toHaveLength(12);
  expect(words.slice(8).every((word) => !word.endsWith("again"))).toBe(true);
});

test("without recomputation nothing comes again", () => {
  expect(again(backwardOf(trainedPlan()))).toEqual([]);
});

test("selective: attention alone comes again, each before its own layer's backward ops", () => {
  const backward = backwardOf(trainedPlan({ recompute: selective }));
  expect(again(backward).map(({ op }) => op)).toEqual(["attention", "attention"]);
  const first = backward.findIndex(({ origin }) => origin.isRecomputed === true);
  expect(backward[first]?.origin.layer).toBe(backward[first + 1]?.origin.layer);
  expect(backward[first - 1]?.origin.layer).not.toBe(backward[first]?.origin.layer);
});

test.each([
  ["uniform, by one", full, [2, 2]],
  ["uniform, by two", "{ granularity: full, method: uniform, layers: 2 }", [2, 2]],
  ["the first of each pipeline rank", "{ granularity: full, method: block, layers: 1 }", [1, 1]],
])("full, %s: so many blocks of each rank come again", (_name, recompute, blocks) => {
  const plan = trainedPlan({ recompute });
  const counts = [0, 1].map(
    (rank) => again(backwardOf(plan, rank)).filter(({ op }) => op === "attention").length,
  );
  expect(counts).toEqual(blocks);
});

test("of a block that comes again the backward pass reads its input and what was computed again", () => {
  const plan = trainedPlan({ recompute: full });
  const slots = runPasses(planOps(plan).ops, plan, schedulingOf(plan), 1).flatMap(({ ops }) => ops);
  const forward = slots.filter(({ origin }) => origin.phase === "forward");
  const written = new Set(forward.flatMap((op) => writtenBy(op).map(({ name }) => name)));
  const read = new Set(
    backwardOf(plan).flatMap((op) =>
      readBy(op).flatMap(({ name, role }) =>
        role === "activation" && written.has(name) ? [name] : [],
      ),
    ),
  );
  // The embedding's result and the first block's: two blocks, two inputs.
  expect([...read].map((name) => name.replace(/^.*\//, ""))).toHaveLength(2);
  const kept = lower(plan).ranks[0]?.buffers.filter(
    ({ role, within, id }) => role === "activation" && within === undefined && id.includes("#"),
  );
  expect(new Set(kept?.map(({ id }) => id.replace(/#\d+$/, "")))).toEqual(read);
});

describe.each(trainedCases)("%s", (_name, choice) => {
  test.each(ways)("%s: the estimate is what a run allocates and computes", (recompute) => {
    const plan = trainedPlan({ ...choice, recompute });
    const program = lower(plan);
    const counted = estimatePlan(plan).ranks;
    for (const [i, rank] of estimate(program, plan).ranks.entries()) {
      expect(counted[i]?.memoryByRole).toEqual(rank.memoryByRole);
      expect(counted[i]?.flops).toBeCloseTo(rank.flops, 3);
      expect(counted[i]?.recomputed?.flops).toBeCloseTo(rank.recomputed?.flops ?? -1, 3);
      expect(counted[i]?.synthetic?.flops).toBeCloseTo(rank.synthetic?.flops ?? -1, 3);
    }
  });

  test.each(ways)("%s: less is kept, and the result is the same", async (recompute) => {
    const plan = trainedPlan({ ...choice, recompute });
    const needs = (each: Plan): number[] =>
      estimatePlan(each).memory.map(({ activations }) => activations);
    const before = needs(trainedPlan(choice));
    // The last position has one micro-batch in flight: all of it is there when its blocks come again at once, each
    // tensor at an aligned offset.
    for (const [rank, bytes] of needs(plan).entries())
      expect(bytes).toBeLessThanOrEqual((before[rank] ?? 0) * 1.125);
    // Of the first position several micro-batches are in flight.
    expect(needs(plan)[0]).toBeLessThan(before[0] ?? 0);
    expect(await worstError(plan)).toBeLessThan(1e-6);
  });
});

test("what comes again takes time, and counts as nobody's progress", () => {
  const hardware = { flops: 1e9, bandwidth: 1e12, linkBandwidth: 1e12 };
  const [plain, whole, part] = [
    trainedPlan(),
    trainedPlan({ recompute: full }),
    trainedPlan({ recompute: selective }),
  ];
  const flops = (plan: Plan): number =>
    estimatePlan(plan).ranks.reduce((sum, rank) => sum + rank.flops, 0);
  expect(flops(whole)).toBe(flops(plain));
  const stepMs = (plan: Plan): number => simulateHardware(plan, hardware, 0).stepMs;
  expect(stepMs(whole)).toBeGreaterThan(stepMs(part));
  expect(stepMs(part)).toBeGreaterThan(stepMs(plain));
  const bound = (plan: Plan): number => estimatePlan(plan, hardware).bound?.stepMs ?? 0;
  expect(bound(whole)).toBeGreaterThan(bound(part));
  expect(bound(part)).toBeGreaterThan(bound(plain));
});

test("in products alone, what comes again is a third of what both passes take", () => {
  const backward = backwardOf(trainedPlan({ recompute: full }));
  expect(products(again(backward))).toBe(products(backward) / 3);
});

test("a plan without backward slots has nothing to compute again", () => {
  const plan = trainedPlan({ recompute: full });
  const { schedule: _, ...workload } = plan.workload;
  const slots = runPasses(
    planOps(plan).ops,
    { ...plan, workload },
    schedulingOf({ ...plan, workload }),
    1,
  );
  expect(slots.flatMap(({ ops }) => ops).every(({ origin }) => origin.phase === "forward")).toBe(
    true,
  );
});
