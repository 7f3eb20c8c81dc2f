import { readFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { hasErrors, inspect } from "../../src/check/check_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { fullestNeed } from "../../src/program/memory.ts";
import { simulateHardware } from "../../src/program/simulate/simulate_hardware.ts";
import { objectives, valueFor } from "../../src/search/candidate.ts";
import { degreeSpace } from "../../src/search/degree_space.ts";
import { changesBetween } from "../../src/search/explain.ts";
import { refuseServing } from "../../src/search/refuse_serving.ts";
import { search, type SearchOptions } from "../../src/search/search.ts";
import { winnerOf } from "../../src/search/winner.ts";
import { dense, experts, overheads, peaks, planOf, training } from "./plans.ts";

const options: SearchOptions = {
  peaks,
  overheads,
  objective: "throughput",
  top: 3,
  budgetMs: Infinity,
};

/** Of a training whose backward pass no schedule has: its state is counted all the same. */
const unscheduled: PlanFile = {
  ...dense,
  name: "training without a schedule",
  workload: { mode: "training", batch: 4, microBatches: 2, sequence: 32 },
};

describe.each([dense, training, experts, unscheduled])("$name", (file) => {
  const plan = planOf(file);
  const space = degreeSpace(file, plan, peaks, overheads);
  const sound = space.files.flatMap((each) => {
    const own = planOf(each);
    return hasErrors(inspect(own).diagnostics) ? [] : [{ file: each, plan: own }];
  });

  test("no prediction, no count and no simulation is below its bounds", () => {
    expect(sound.length).toBeGreaterThan(10);
    for (const [i, each] of sound.entries()) {
      const { memoryBytes, balance, wire } = space.boundsOf(each.file);
      const prediction = space.predict(each.file, each.plan);
      expect(wire.stepMs).toBeGreaterThanOrEqual(balance.stepMs);
      expect(prediction.stepMs).toBeGreaterThanOrEqual(wire.stepMs);
      expect(prediction.latencyMs).toBeGreaterThanOrEqual(wire.latencyMs);
      expect(1.001 * prediction.memoryBytes).toBeGreaterThanOrEqual(memoryBytes);
      if (i % 7 > 0) continue;
      const { memory } = estimatePlan(each.plan);
      expect(fullestNeed(memory).total).toBeGreaterThanOrEqual(memoryBytes);
      const played = simulateHardware(each.plan, peaks, overheads.latencyMs, overheads.launchMs);
      expect(played.stepMs).toBeGreaterThanOrEqual(wire.stepMs);
    }
  });

  test("slots that are put together take about as long as the whole plan simulated", () => {
    for (const each of sound.filter((_, i) => i % 7 === 0)) {
      const { stepMs } = space.predict(each.file, each.plan);
      const played = simulateHardware(each.plan, peaks, overheads.latencyMs, overheads.launchMs);
      expect(stepMs / played.stepMs).toBeGreaterThan(0.7);
      expect(stepMs / played.stepMs).toBeLessThan(1.5);
    }
  });

  test("what bounds remove is no better than what is found", () => {
    const found = search(file, plan, { ...options, top: 1 });
    const least = Math.min(...sound.map((each) => space.predict(each.file, each.plan).stepMs));
    const [winner] = found.best;
    if (winner === undefined) throw new Error("nothing found");
    expect(space.predict(winner.file, winner.plan).stepMs).toBeLessThanOrEqual(1.1 * least);
  });

  test("what is found passes the check, fits, and is ordered by the objective", () => {
    for (const objective of file === dense ? objectives : ["throughput" as const]) {
      const found = search(file, plan, { ...options, objective });
      const values = found.best.map(({ prediction }) => valueFor(objective, prediction));
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      for (const each of found.best) {
        expect(hasErrors(inspect(each.plan).diagnostics)).toBe(false);
        expect(each.prediction.memoryBytes).toBeLessThanOrEqual(16 * 2 ** 20);
      }
    }
  });
});

test("what does not fit is not found, however fast", () => {
  const small: PlanFile = { ...dense, hardware: { gpus: 4, memoryPerGpu: "600kB" } };
  const found = search(small, planOf(small), options);
  expect(found.removed.memory).toBeGreaterThan(0);
  for (const { prediction } of found.best) expect(prediction.memoryBytes).toBeLessThanOrEqual(6e5);
});

test("every candidate is accounted for", () => {
  const { candidates, predicted, removed } = search(dense, planOf(dense), options);
  const { memory, balance, wire, refused } = removed;
  // Other objectives predict more than this one's bounds left over.
  expect(memory + balance + wire + refused + predicted).toBeGreaterThanOrEqual(candidates);
  expect(removed.notLookedAt).toBe(0);
});

test("without time everything is left, and said so", () => {
  const found = search(dense, planOf(dense), { ...options, budgetMs: -1 });
  expect(found.best).toEqual([]);
  expect(found.removed.notLookedAt).toBe(found.candidates - found.removed.memory);
});

test("rules that refuse candidates are named, each with how many", () => {
  const { refused, refusedBy } = search(dense, planOf(dense), options).removed;
  expect(refusedBy.map(({ code }) => code)).toEqual(["interleaving-needs-micro-batches"]);
  expect(refusedBy.reduce((sum, { count }) => sum + count, 0)).toBe(refused);
  expect(refused).toBeGreaterThan(0);
});

test("once time is over, only what would be written is still counted", () => {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now++);
  const { candidates, ...rest } = search(dense, planOf(dense), { ...options, budgetMs: 12 });
  clock.mockRestore();
  expect(rest.best).toHaveLength(1);
  expect(rest.isSimulated).toBe(false);
  expect(rest.removed.notLookedAt).toBeGreaterThan(candidates / 2);
});

test("a run decides on the throughput, and on no other objective", () => {
  const { best, given } = search(dense, planOf(dense), { ...options, objective: "memory" });
  const slower = { ratio: 0.5, interval: [0.4, 0.6] as const, pairs: 9 };
  expect(winnerOf({ best, given }, "memory", [{ speedUp: slower }])).toBe(best[0]);
  expect(winnerOf({ best, given }, "throughput", [{ speedUp: slower }])).toBeUndefined();
  const faster = { ...slower, interval: [1.4, 1.6] as const };
  const runs = [{ speedUp: slower }, { speedUp: faster }];
  expect(winnerOf({ best, given }, "throughput", runs)).toBe(best[1]);
});

test("written stages move to other GPUs, with their communications", async () => {
  const name = "configs/three-stage-pipeline.json";
  const { document, plan } = parsePlan(await readFile(name, "utf8"), name);
  if (plan === undefined || document.written === undefined) throw new Error("no plan");
  const batch = { ...document.written.workload, batch: 4, microBatches: 2 };
  const file = { ...document.written, workload: batch };
  const found = search(file, planOf(file), options);
  const [winner] = found.best;
  if (winner === undefined || found.given === undefined) throw new Error("nothing found");
  expect(winner.prediction.stepMs).toBeLessThan(found.given.prediction.stepMs);
  expect(hasErrors(inspect(winner.plan).diagnostics)).toBe(false);
  expect(changesBetween(file, winner.file).length).toBeGreaterThan(0);
});

test("a plan that serves is refused", () => {
  const plan = planOf(dense);
  expect(() => {
    refuseServing({ ...plan, workload: { ...plan.workload, mode: "serving" } });
  }).toThrow("serves");
});

test("differences are told field by field, lists as one", () => {
  const other: PlanFile = { ...dense, parallel: { tensor: 2, data: 2 }, optimizations: ["x"] };
  expect(changesBetween(dense, other)).toEqual([
    { path: "parallel.tensor", before: "4", after: "2" },
    { path: "parallel.data", after: "2" },
    { path: "optimizations", after: '["x"]' },
  ]);
});

test.each(["own-norms", "shared-norm"] as const)(
  "blocks with %s side by side sum once, and their bounds say no more",
  (parallelResidual) => {
    const { model } = dense;
    if (model === undefined) throw new Error("no model");
    const file: PlanFile = { ...dense, model: { ...model, parallelResidual } };
    const slow = { flops: 1e15, linkBandwidth: 1e8 };
    const none = { latencyMs: 0, launchMs: 0 };
    const space = degreeSpace(file, planOf(file), slow, none);
    for (const each of space.files) {
      const plan = planOf(each);
      if (hasErrors(inspect(plan).diagnostics)) continue;
      const { stepMs } = space.predict(each, plan);
      expect(stepMs).toBeGreaterThanOrEqual((1 - 1e-9) * space.boundsOf(each).wire.stepMs);
    }
  },
);

test("a schedule without an optimizer sums no gradients", () => {
  const { optimizer: _, ...workload } = training.workload;
  const file: PlanFile = { ...training, workload };
  const slow = { flops: 1e15, linkBandwidth: 1e6 };
  const space = degreeSpace(file, planOf(file), slow, overheads);
  const replicated = space.files.filter(({ parallel }) => parallel?.data === 4);
  expect(replicated.length).toBeGreaterThan(0);
  for (const each of replicated) {
    const { stepMs } = space.predict(each, planOf(each));
    expect(stepMs).toBeGreaterThanOrEqual(space.boundsOf(each).wire.stepMs);
  }
});

test("marks of assumed values that a candidate no longer has refuse nothing", () => {
  const file: PlanFile = {
    ...dense,
    parallel: { tensor: 4, tensorGroup: [0, 1, 2, 3] },
    assumed: ["parallel.tensorGroup", "model.hidden"],
  };
  const { best, removed } = search(file, planOf(file), options);
  expect(removed.refused).toBe(search(dense, planOf(dense), options).removed.refused);
  expect(best[0]?.file.assumed).toEqual(["model.hidden"]);
});

test("a plan that rules refuse on these GPUs is not compared", () => {
  const file: PlanFile = {
    ...experts,
    hardware: { gpus: 1 },
    parallel: { tensor: 1, expert: 2, expertGroup: [0, 1] },
  };
  const { given, best } = search(file, planOf(file), options);
  expect(given).toBeUndefined();
  expect(best.length).toBeGreaterThan(0);
});

test("a given plan that does not fit is on no front", () => {
  const file: PlanFile = {
    ...dense,
    hardware: { gpus: 4, memoryPerGpu: "600kB" },
    parallel: { data: 4 },
  };
  const { given, front } = search(file, planOf(file), options);
  expect(given?.prediction.memoryBytes).toBeGreaterThan(6e5);
  expect(front).not.toContain(given);
});
