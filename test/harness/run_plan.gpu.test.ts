// Whole runs on real rank processes: what the ranks compute together is what the plan means.

import fc from "fast-check";
import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { collectiveOf } from "../../src/program/program.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { copiedWithin } from "../support/copied_within.ts";
import { adapterUnderTest, describeOnAdapter, describeOnOneAdapter } from "../support/gpu.ts";
import { deepPlan, linear, mlp, plan as planOf, plans } from "../support/plans.ts";
import { full, selective, trainedCases, trainedPlan } from "../support/recomputed_plans.ts";
import { sequencePlans, sequencePlansIn } from "../support/sequence_plans.ts";
import { wideLogitsPlan } from "../support/wide_logits.ts";
import { tiedPlans } from "../support/tied_plans.ts";

const adapter = adapterUnderTest();

async function check(plan: Plan, method: "oracle" | "unsharded" = "oracle") {
  const result = await runPlan(plan, { adapter, numericsOnly: true, check: method });
  expect(result.outcome).toEqual({ state: "complete" });
  return result;
}

describeOnAdapter("a run", () => {
  test("allocates exactly what was estimated", async () => {
    const unequal = plans.find(({ name }) => name.startsWith("unequal groups"));
    const { check: outcome, estimate, memory } = await check(unequal!);
    expect(outcome?.error).toBeLessThanOrEqual(1e-5);
    expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });

  test("copies within buffers", async () => {
    const instructions = lower(copiedWithin).ranks.flatMap((rank) => rank.instructions);
    const within = instructions.flatMap((each) => {
      const whole = each.op === "copy" ? each : collectiveOf(each);
      return whole?.through === undefined ? [] : [whole.op];
    });
    expect(new Set(within)).toEqual(
      new Set(["copy", "all-gather", "expert-dispatch", "expert-combine"]),
    );
    const { check: outcome, estimate, memory } = await check(copiedWithin);
    expect(outcome?.error).toBeLessThanOrEqual(1e-5);
    expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });

  test("random valid plans give the reference's result", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryPlan(), async (plan) => {
        expect((await check(plan)).check?.error).toBeLessThanOrEqual(1e-5);
      }),
      { numRuns: 6, seed: 1, endOnFailure: true },
    );
  }, 300_000);

  test("a sharded run agrees with the unsharded one, every product verified", async () => {
    const [plan] = plans;
    const { check: outcome } = await check(plan!, "unsharded");
    expect(outcome?.method).toBe("unsharded+freivalds");
    expect(outcome?.error).toBeLessThanOrEqual(1e-5);
  });

  test("blocks that leave while others are computed arrive as they should", async () => {
    const overlapping = planOf(
      "overlapping",
      2,
      [[linear(60, 100, "column", [[0, 1]]), mlp(100, 40, "gelu", [[0, 1]])]],
      {
        optimizations: ["communication-overlap"],
        workload: { batch: 2, microBatches: 2, sequence: 260 },
      },
    );
    const { check: outcome, metrics } = await runPlan(overlapping, {
      adapter,
      samples: 3,
      warmup: 1,
    });
    expect(outcome?.error).toBeLessThanOrEqual(1e-5);
    for (const { compute, communication, host, idle } of metrics.ranks) {
      const sum = compute.value + communication.value + host.value + idle.value;
      expect(sum).toBeGreaterThan(0.99);
      expect(sum).toBeLessThan(1.01);
    }
  });

  test("every part of a timed step is accounted for", async () => {
    const [plan] = plans;
    const { metrics, samples } = await runPlan(plan!, {
      adapter,
      samples: 3,
      warmup: 1,
      tune: false,
    });
    expect(samples).toHaveLength(3);
    for (const { compute, communication, host, idle } of metrics.ranks) {
      const sum = compute.value + communication.value + host.value + idle.value;
      expect(sum).toBeGreaterThan(0.99);
      expect(sum).toBeLessThan(1.01);
    }
  });
});

/** That programs mean their plans; what kernels compute is tried on every adapter, one by one. */
describeOnOneAdapter("the program of a run", () => {
  test.each(["oracle", "unsharded"] as const)(
    "every one of many logits is compared, by %s",
    async (method) => {
      for (const [dtype, tolerance] of [
        ["f32", 1e-5],
        ["f16", 1e-2],
      ] as const) {
        const plan = wideLogitsPlan(["tiedEmbeddings: true, logitSoftcap: 3", 2], dtype);
        const { check: outcome } = await check(plan, method);
        expect(outcome?.values).toBe(600 * 98);
        expect(outcome?.error).toBeLessThanOrEqual(tolerance);
      }
    },
    600_000,
  );

  test.each(["f32", "f16"] as const)("200 right layers in %s are right", async (dtype) => {
    const deep = deepPlan(200);
    const { check: outcome } = await check({ ...deep, workload: { ...deep.workload, dtype } });
    expect(outcome?.error).toBeLessThanOrEqual(outcome?.tolerance ?? 0);
    // The bound is one that a wrong row could not keep.
    expect(outcome?.tolerance).toBeLessThan(dtype === "f32" ? 1e-4 : 0.2);
  });

  test("random valid plans in f16 stay within half a percent", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryPlan("f16"), async (plan) => {
        expect((await check(plan)).check?.error).toBeLessThanOrEqual(5e-3);
      }),
      { numRuns: 3, seed: 2, endOnFailure: true },
    );
  }, 300_000);

  test.each(sequencePlans.map((each) => [each.name, each] as const))(
    "sequence parallelism, %s: right, and as much memory as estimated",
    async (_, plan) => {
      const { check: outcome, estimate, memory } = await check(plan);
      expect(outcome?.error).toBeLessThanOrEqual(1e-5);
      expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
        estimate.ranks.map(({ memoryBytes }) => memoryBytes),
      );
    },
  );

  test("sequence parallelism in f16 stays within half a percent", async () => {
    const chosen = sequencePlansIn("f16").filter(({ name }) => /^(three ranks|experts)/.test(name));
    expect(chosen).toHaveLength(3);
    for (const plan of chosen) {
      expect((await check(plan)).check?.error).toBeLessThanOrEqual(5e-3);
    }
  }, 600_000);

  test.each([
    ["f32", 1e-5],
    ["f16", 5e-3],
  ] as const)(
    "a head tied to the embedding gives the reference's result in %s",
    async (dtype, tolerance) => {
      for (const plan of tiedPlans(dtype)) {
        const { check: outcome, estimate, memory } = await check(plan);
        expect(outcome?.error).toBeLessThanOrEqual(tolerance);
        expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
          estimate.ranks.map(({ memoryBytes }) => memoryBytes),
        );
      }
    },
    600_000,
  );

  test.each(
    ["dense", "overlapping", "experts"].flatMap((name) =>
      [full, selective].map((recompute) => [name, recompute] as const),
    ),
  )(
    "%s, recompute: %s: what is computed again is checked like what was computed first",
    async (name, recompute) => {
      const [, choice] = trainedCases.find(([known]) => known === name) ?? [];
      const given = trainedPlan({ ...choice, layers: 2, recompute });
      const { check: outcome, estimate, memory } = await check(given);
      expect(outcome?.error).toBeLessThanOrEqual(1e-5);
      const attention = outcome?.kinds.find(({ kind }) => kind === "attention");
      // Two passes over each position's block, on each of its ranks.
      expect(attention?.allCalls).toBe(2 * 4 * given.hardware.gpus);
      // Of the first and the last micro-batch.
      expect(attention?.calls).toBe(2 * 2 * given.hardware.gpus);
      expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
        estimate.ranks.map(({ memoryBytes }) => memoryBytes),
      );
    },
    600_000,
  );

  test("over emulated links results are the same, no step is faster than its link, and the run says so", async () => {
    const summed = planOf("linked", 2, [[linear(40, 100, "row", [[0, 1]])]], {
      workload: { batch: 1, microBatches: 1, sequence: 50 },
    });
    const {
      outcome,
      check: checked,
      metrics,
    } = await runPlan(summed, {
      adapter,
      samples: 3,
      warmup: 0,
      tune: false,
      // Each rank takes in the other's 50 x 100 summands: 20,000 bytes.
      link: { latencyMs: 3, bandwidth: 1e6 },
    });
    expect(outcome).toEqual({ state: "complete" });
    expect(checked?.error).toBeLessThanOrEqual(1e-5);
    expect(metrics.stepMs?.conditions).toContain(
      "links between ranks are emulated: no message takes less than 3,000 µs + its bytes at 1 MB/s",
    );
    expect(metrics.stepMs?.value).toBeGreaterThan(22);
  });

  test.runIf(process.platform === "linux")(
    "a run that keeps its cores awake says so, and projects each step that it is to compare with",
    async () => {
      const alone = planOf("alone", 1, [[linear(20, 30, "replicated", [[0]])]]);
      const { adapters, metrics, projection } = await runPlan(alone, {
        adapter,
        samples: 3,
        warmup: 0,
        tune: false,
        pin: "awake",
        project: "also",
      });
      expect(adapters.map(({ core, keptAwake }) => ({ core, keptAwake }))).toEqual([
        { core: 0, keptAwake: true },
      ]);
      const [condition] = metrics.stepMs?.conditions ?? [];
      expect(condition).toMatch(/ on a core of their own each, kept awake$/);
      // Five turns of two steps, and more of short ones.
      expect(projection?.from.repeats.length).toBeGreaterThanOrEqual(10);
    },
  );

  test("a rank that only receives a sum reads what it gathered before the summands come", async () => {
    const unequal = planOf(
      "unequal",
      3,
      [[linear(20, 16, "column", [[0, 1]])], [linear(16, 12, "row", [[1, 2]])]],
      {
        workload: { batch: 8, microBatches: 2, sequence: 1 },
        communications: [
          { name: "gather", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 },
          { name: "sum", op: "all-reduce", from: [1, 2], to: [2], after: 1 },
        ],
      },
    );
    expect((await check(unequal)).check?.error).toBeLessThanOrEqual(1e-5);
  });

  test("an interrupted run keeps what it measured", async () => {
    const [plan] = plans;
    const abort = new AbortController();
    const result = await runPlan(plan!, {
      adapter,
      tune: false,
      samples: 100_000,
      signal: abort.signal,
      // Not told of each step.
      onProgress: ({ phase, done = 0 }) => {
        if (phase === "measure" && done >= 3) abort.abort();
      },
    });
    expect(result.outcome).toEqual({ state: "interrupted" });
    expect(result.samples.length).toBeGreaterThanOrEqual(3);
  });
});
