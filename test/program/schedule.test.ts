import { describe, expect, test } from "vitest";
import type { Plan, ScheduleName } from "../../src/plan/plan.ts";
import { chunksInFlight, pipelineOf } from "../../src/plan/pipeline.ts";
import { estimate, estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { copiesOf } from "../../src/program/schedule/copies.ts";
import { predictedBubble, scheduleOf, slotsOf } from "../../src/program/schedule/schedule.ts";
import type { Slot } from "../../src/program/schedule/slot.ts";
import { pipedPlan } from "../support/piped_plan.ts";
import { linear, mlp, moe, plan } from "../support/plans.ts";
import { worstError } from "../support/worst_error.ts";

function layer(rank: number) {
  return linear(8, 8, "replicated", [[rank]]);
}

function wordsOf(slots: readonly Slot[]): string {
  return slots
    .map(({ phase, microBatch, chunk }) => {
      const letter = phase === "forward" ? "F" : "B";
      return `${letter}${microBatch}${"abcd".charAt(chunk)}`;
    })
    .join(" ");
}

function slotsAt(given: Plan, pipelineRank: number): string {
  const schedule = scheduleOf(given);
  if (schedule === undefined) throw new Error("it is a pipeline");
  return wordsOf(slotsOf(schedule, pipelineRank));
}

describe("slots", () => {
  test("GPipe: all forward, then all backward", () => {
    expect(slotsAt(pipedPlan(2, 3, 1, "gpipe"), 0)).toBe("F0a F1a F2a B0a B1a B2a");
  });

  test("1F1B: the first pipeline rank warms up with p − 1 micro-batches, the last with none", () => {
    const given = pipedPlan(3, 4, 1, "1f1b");
    expect(slotsAt(given, 0)).toBe("F0a F1a F2a B0a F3a B1a B2a B3a");
    expect(slotsAt(given, 2)).toBe("F0a B0a F1a B1a F2a B2a F3a B3a");
  });

  test("interleaved: groups of p micro-batches go through one chunk after the other", () => {
    const given = pipedPlan(2, 4, 2, "1f1b");
    expect(slotsAt(given, 0)).toBe(
      "F0a F1a F0b F1b F2a B0b F3a B1b F2b B0a F3b B1a B2b B3b B2a B3a",
    );
    expect(slotsAt(given, 1)).toBe(
      "F0a F1a F0b B0b F1b B1b F2a B0a F3a B1a F2b B2b F3b B3b B2a B3a",
    );
  });

  test("inference has forward slots only, whatever its schedule", () => {
    const given = pipedPlan(2, 3, 1, "1f1b", "inference");
    expect(slotsAt(given, 0)).toBe("F0a F1a F2a");
  });

  test("training without a schedule runs forward passes, as ever", () => {
    expect(slotsAt(pipedPlan(2, 3), 1)).toBe("F0a F1a F2a");
  });
});

describe("a pipeline", () => {
  test("is stages that share no GPU, or come back to the same ones", () => {
    expect(pipelineOf(pipedPlan(3, 2))?.pipelineRanks).toEqual([[0], [1], [2]]);
    expect(pipelineOf(pipedPlan(2, 2, 3))).toEqual({ pipelineRanks: [[0], [1]], virtualStages: 3 });
    const single = plan("single", 1, [[layer(0)], [layer(0)]]);
    expect(pipelineOf(single)).toEqual({ pipelineRanks: [[0]], virtualStages: 1 });
  });

  test("is not stages that share some GPUs, or end in the middle of a round", () => {
    const shared = plan("shared", 2, [[linear(8, 8, "replicated", [[0, 1]])], [layer(1)]]);
    expect(pipelineOf(shared)).toBeUndefined();
    const cut = plan("cut", 2, [[layer(0)], [layer(1)], [layer(0)]]);
    expect(pipelineOf(cut)).toBeUndefined();
  });
});

describe("activations in flight", () => {
  test.each([
    ["gpipe", 3, 5, [5, 5, 5]],
    ["1f1b", 3, 5, [3, 2, 1]],
    ["1f1b", 4, 2, [2, 2, 2, 1]],
  ] as const)("%s with p = %i and m = %i", (name, p, m, expected) => {
    const schedule = scheduleOf(pipedPlan(p, m, 1, name));
    if (schedule === undefined) throw new Error("it is a pipeline");
    const counts = expected.map((_, pipelineRank) => copiesOf(schedule, pipelineRank).counts[0]);
    expect(counts).toEqual(expected);
    const told = expected.map((_, at) => chunksInFlight(schedule.pipeline, name, m, at));
    expect(told).toEqual(expected);
  });

  test("the program declares as many copies of what a backward slot reads, and no more", () => {
    const copies = (name: ScheduleName) =>
      lower(pipedPlan(2, 4, 1, name)).ranks.map(
        ({ buffers }) => buffers.filter(({ id }) => /0\.linear\/out(#|$)/.test(id)).length,
      );
    expect(copies("gpipe")).toEqual([4, 4]);
    expect(copies("1f1b")).toEqual([2, 1]);
  });

  test("what experts use in several steps is there once per copy", () => {
    const experts = (rank: number) => moe(8, 2, 1, [[rank]], [rank]);
    const given = plan("experts", 2, [[experts(0)], [experts(1)]], {
      workload: { batch: 4, microBatches: 4, mode: "training", schedule: "1f1b" },
    });
    const program = lower(given);
    const [first] = program.ranks;
    const ids = first?.buffers.map(({ id }) => id) ?? [];
    const copied = ids.filter((id) => id.endsWith("#0")).map((id) => id.replace("#0", ""));
    expect(copied.length).toBeGreaterThan(3);
    expect(ids.filter((id) => copied.includes(id))).toEqual([]);
    expect(estimatePlan(given).ranks.map(({ memoryBytes }) => memoryBytes)).toEqual(
      estimate(program, given).ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });

  test.each(["gpipe", "1f1b"] as const)("%s: the estimate counts what is declared", (name) => {
    const given = pipedPlan(3, 5, 2, name);
    const program = lower(given);
    const declared = program.ranks.map(({ buffers }) =>
      buffers.reduce((sum, { bytes, within }) => sum + (within === undefined ? bytes : 0), 0),
    );
    const memory = (ranks: readonly { readonly memoryBytes: number }[]) =>
      ranks.map(({ memoryBytes }) => memoryBytes);
    expect(memory(estimate(program, given).ranks)).toEqual(declared);
    expect(memory(estimatePlan(given).ranks)).toEqual(declared);
  });
});

describe("a scheduled program computes what its layers mean", () => {
  const schedules = [undefined, "gpipe", "1f1b"] as const;
  const cases = schedules.flatMap((schedule) =>
    [1, 2, 3].flatMap((p) =>
      [1, 2].flatMap((v) =>
        [p, p + 1, 2 * p, 2 * p + 1].map((m) => [schedule ?? "none", p, v, m] as const),
      ),
    ),
  );
  test.each(cases)("%s, p = %i, v = %i, m = %i", async (name, p, v, m) => {
    const given = pipedPlan(p, m, v, name === "none" ? undefined : name);
    expect(await worstError(given)).toBeLessThan(1e-6);
  });

  test("with tensor groups and replicas in its stages", async () => {
    const given = plan(
      "groups",
      6,
      [
        [mlp(8, 8, "gelu", [[0, 1]])],
        [
          mlp(8, 8, "gelu", [
            [2, 3],
            [4, 5],
          ]),
        ],
        [mlp(8, 8, "gelu", [[0, 1]])],
        [
          mlp(8, 8, "gelu", [
            [2, 3],
            [4, 5],
          ]),
        ],
      ],
      { workload: { batch: 8, microBatches: 4, mode: "training", schedule: "1f1b" } },
    );
    expect(await worstError(given)).toBeLessThan(1e-6);
  });
});

describe("backward slots", () => {
  const given = pipedPlan(2, 2, 1, "1f1b");
  const backward = lower(given).ranks.map(({ instructions }) =>
    instructions.filter(({ origin }) => origin.phase === "backward"),
  );

  test("are synthetic and say so: each product twice, and a gradient to the stage before", () => {
    expect(backward.flat().every(({ origin }) => origin.synthetic === true)).toBe(true);
    expect(backward.map((own) => own.map(({ op }) => op))).toEqual([
      ["recv", ...Array(4).fill("kernel"), "recv", ...Array(4).fill("kernel")],
      [...Array(4).fill("kernel"), "send", ...Array(4).fill("kernel"), "send"],
    ]);
  });

  test("count as twice the FLOPs of the forward pass, apart from it", () => {
    const { ranks, modelFlops, layers } = estimatePlan(given);
    const synthetic = ranks.reduce((sum, rank) => sum + (rank.synthetic?.flops ?? 0), 0);
    expect(synthetic).toBe(2 * modelFlops);
    expect(layers.reduce((sum, { flops }) => sum + flops, 0)).toBe(modelFlops);
  });

  test("write no buffer of the model", () => {
    const written = backward.flat().flatMap((instruction) => {
      if (instruction.op === "kernel") return instruction.buffers.slice(-1);
      return "receive" in instruction ? [instruction.receive] : [];
    });
    expect(new Set(written)).toEqual(new Set(["workspace"]));
  });
});

test("the bubble that theory predicts", () => {
  expect(predictedBubble({ pipelineSize: 4, virtualStages: 1, microBatches: 8 })).toMatchObject({
    overIdeal: 3 / 8,
    ofTotal: 3 / 11,
  });
  expect(predictedBubble({ pipelineSize: 4, virtualStages: 2, microBatches: 8 })).toMatchObject({
    overIdeal: 3 / 16,
    ofTotal: 3 / 19,
    overIdealFormula: "(p − 1)/(v·m)",
  });
});
