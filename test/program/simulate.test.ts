import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { roundsAreFull } from "../../src/check/rules/sizes/round_of_micro_batches_not_full.ts";
import { lower } from "../../src/program/lower.ts";
import type { Program } from "../../src/program/program.ts";
import { predictedBubble, scheduleOf } from "../../src/program/schedule/schedule.ts";
import { noCost, type Cost, type RankCosts } from "../../src/program/simulate/cost.ts";
import { playDistinct } from "../../src/program/simulate/alike.ts";
import { createHardwareCost } from "../../src/program/simulate/hardware_cost.ts";
import { play } from "../../src/program/simulate/play.ts";
import { simulate } from "../../src/program/simulate/simulate.ts";
import { streamTapes } from "../../src/program/simulate/stream_tapes.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { pipedPlan } from "../support/piped_plan.ts";
import { linear, plan, plans } from "../support/plans.ts";
import { planOf } from "../support/written_plan.ts";

/** The same cost for every instruction of a kind. */
function costsOf(
  program: Program,
  by: { kernel?: Partial<Cost>; send?: Partial<Cost>; recv?: Partial<Cost> },
) {
  return program.ranks.map(({ instructions }): RankCosts => ({
    instructions: instructions.map(({ op }) => {
      return op === "kernel" || op === "send" || op === "recv" ? { ...noCost, ...by[op] } : noCost;
    }),
    rest: noCost,
  }));
}

function wallOf(given: Plan, by: Parameters<typeof costsOf>[1], latencyMs = 0): number {
  const program = lower(given);
  return simulate(program, costsOf(program, by), latencyMs).wallMs;
}

describe("a pipeline of equal stages takes as long as theory says", () => {
  const cases = [undefined, "gpipe", "1f1b"] as const;
  const sizes = cases.flatMap((name) =>
    [1, 2, 3, 4].flatMap((p) =>
      [1, 2].flatMap((v) => [p, 2 * p, 4 * p].map((m) => [name ?? "forward", p, v, m] as const)),
    ),
  );
  test.each(sizes)("%s, p = %i, v = %i, m = %i", (name, p, v, m) => {
    const given = pipedPlan(p, m, v, name === "forward" ? undefined : name);
    const schedule = scheduleOf(given);
    if (schedule === undefined) throw new Error("it is a pipeline");
    // Two kernels per chunk, and four synthetic ones.
    const work = 2 * v * m * (name === "forward" ? 1 : 3);
    const expected = work / (1 - predictedBubble(schedule).ofTotal);
    expect(wallOf(given, { kernel: { compute: 1 } })).toBeCloseTo(expected, 9);
  });
});

describe("by hand", () => {
  const two = plan(
    "two",
    2,
    [[linear(8, 8, "replicated", [[0]])], [linear(8, 8, "replicated", [[1]])]],
    { workload: { batch: 2, microBatches: 2 } },
  );

  test("a sender awaits its GPU, a receiver the bytes", () => {
    const wall = wallOf(two, {
      kernel: { compute: 10, host: 1 },
      send: { readback: 2, move: 3 },
      recv: { upload: 5 },
    });
    // Rank 0: 1 + 10 + 2 + 3, twice. Rank 1 has its GPU at work while it waits for the second.
    expect(wall).toBeCloseTo(32 + 5 + 1 + 10, 9);
  });

  test("what waits sees a post after the latency", () => {
    const without = wallOf(two, { kernel: { compute: 10 } });
    expect(without).toBe(30);
    expect(wallOf(two, { kernel: { compute: 10 } }, 4)).toBe(34);
  });

  test("spans tell who waited, and are projected", () => {
    const program = lower(two);
    const costs = costsOf(program, { kernel: { compute: 10 } });
    const trace = simulate(program, costs, 0);
    expect(trace.provenance).toBe("projected");
    const [, second] = trace.ranks;
    expect(second?.spans.map(({ kind, startMs, endMs }) => [kind, startMs, endMs])).toEqual([
      ["wait", 0, 10],
      ["compute", 10, 20],
      ["wait", 10, 20],
      ["compute", 20, 30],
    ]);
  });
});

test("no plan's ranks wait for each other for ever, with one message per mailbox", () => {
  fc.assert(
    fc.property(arbitraryPlan(), (given) => {
      const program = lower(given);
      expect(simulate(program, [], 0).wallMs).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test("nor do those of any schedule, whatever its micro-batches", () => {
  for (const name of ["gpipe", "1f1b"] as const) {
    for (let p = 1; p <= 5; p++) {
      for (let v = 1; v <= 3; v++) {
        for (let m = p; m <= 3 * p + 1; m++) {
          const given = pipedPlan(p, m, v, name);
          if (roundsAreFull.ofPlan?.(given).length !== 0) continue;
          const program = lower(given);
          expect(simulate(program, [], 0).wallMs).toBe(0);
        }
      }
    }
  }
});

describe("the stream plays what the program plays", () => {
  test.each(plans)("$name", (given) => {
    const peaks = { flops: 1e9, bandwidth: 1e9, linkBandwidth: 1e8 };
    const program = lower(given);
    const costOf = createHardwareCost(peaks);
    const costs = program.ranks.map((): Cost[] => []);
    // Experts are counted in the order of lowering.
    for (const { instructions } of program.ranks) {
      for (const instruction of instructions) costOf(0, instruction);
    }
    for (const { rank, instructions } of program.ranks) {
      for (const instruction of instructions) costs[rank]?.push(costOf(rank, instruction));
    }
    const isExpert = program.ranks.some(({ instructions }) =>
      instructions.some(({ op }) => op === "expert-dispatch"),
    );
    if (isExpert) return;
    const whole = simulate(
      program,
      costs.map((instructions) => ({ instructions, rest: noCost })),
      0.01,
    );
    const streamed = play(streamTapes(given, createHardwareCost(peaks)), { latencyMs: 0.01 });
    expect(streamed.wallMs).toBeCloseTo(whole.wallMs, 9);
    const tapes = streamTapes(given, createHardwareCost(peaks));
    expect(playDistinct(tapes, { latencyMs: 0.01 })).toEqual(streamed);
  });
});

test("a plan of 4,096 GPUs is simulated", () => {
  const given = planOf(`
name: large
hardware: { gpus: 4096 }
workload: { batch: 1024, microBatches: 16, sequence: 4096, dtype: f16 }
model: { layers: 80, hidden: 8192, heads: 64, kvHeads: 8, ffn: 28672, gated: true, vocabulary: 128256 }
parallel: { tensor: 8, pipeline: 8, data: 64 }
`);
  const peaks = { flops: 1e15, bandwidth: 3e12, linkBandwidth: 5e10 };
  const tapes = streamTapes(given, createHardwareCost(peaks));
  const { wallMs, ranks } = playDistinct(tapes, { latencyMs: 0.01 });
  expect(ranks).toHaveLength(4096);
  expect(wallMs).toBeGreaterThan(Math.max(...ranks.map(({ computeMs }) => computeMs)));
});
