import { expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { estimatePlan } from "../../../src/program/estimate.ts";
import { lower } from "../../../src/program/lower.ts";
import type { Instruction } from "../../../src/program/program.ts";
import { linear, mlp, moe, plan } from "../../support/plans.ts";
import { worstError } from "../../support/worst_error.ts";

const group = [[0, 1]];

/** Column-parallel, then row-parallel from whole rows, then a gated network: all leave their group. */
function planOf(rows: number, rest: Parameters<typeof plan>[3] = {}): Plan {
  return plan(
    "overlapping",
    2,
    [[linear(6, 10, "column", group), linear(10, 5, "row", group), mlp(5, 8, "silu", group)]],
    {
      optimizations: ["communication-overlap"],
      ...rest,
      workload: { batch: 1, microBatches: 1, sequence: rows, ...rest.workload },
    },
  );
}

function without(overlapping: Plan): Plan {
  return { ...overlapping, optimizations: [] };
}

function words(instructions: readonly Instruction[]): string[] {
  return instructions.flatMap((instruction) => {
    if (instruction.op === "start") return [`${instruction.transfer.op}-start`];
    if (instruction.op === "kernel") return [instruction.kernel];
    return instruction.op === "input" || instruction.op === "observe" ? [] : [instruction.op];
  });
}

test("each block of a product is on its way before the next is computed", () => {
  const [rank] = lower(
    plan("one", 2, [[linear(6, 10, "row", group)]], {
      optimizations: ["communication-overlap"],
      workload: { batch: 1, microBatches: 1, sequence: 130 },
    }),
  ).ranks;
  const block = ["matmul", "all-reduce-start"];
  expect(words(rank!.instructions)).toEqual([
    "slice_columns",
    ...[block, block, block, block].flat(),
    "done",
    "done",
    "done",
    "done",
  ]);
  const rows = rank!.instructions.flatMap((instruction) =>
    instruction.op === "kernel" && instruction.kernel === "matmul" ? [instruction.shape.m] : [],
  );
  expect(rows).toEqual([32, 32, 32, 34]);
});

test.each([
  [63, 0],
  [64, 2],
  [95, 2],
  [96, 3],
  [1000, 4],
])("%i rows make %i blocks: a block begins where a GPU can bind it", (sequence, blocks) => {
  const overlapping = plan("one", 2, [[linear(6, 10, "row", group)]], {
    optimizations: ["communication-overlap"],
    workload: { batch: 1, microBatches: 1, sequence },
  });
  const [rank] = lower(overlapping).ranks;
  expect(words(rank!.instructions).filter((op) => op.endsWith("start"))).toHaveLength(blocks);
});

test("a plan that does not ask for it waits for every collective", () => {
  for (const { instructions } of lower(without(planOf(128))).ranks) {
    expect(words(instructions).filter((op) => /start|done/.test(op))).toEqual([]);
  }
});

test.each([64, 130, 257])("%i rows in blocks give what the layers mean", async (rows) => {
  expect(await worstError(planOf(rows))).toBeLessThan(1e-6);
});

test("overlap moves and computes as much as without", () => {
  const overlapping = estimatePlan(planOf(130));
  const plain = estimatePlan(without(planOf(130)));
  const work = ({ ranks }: typeof plain) =>
    ranks.map(({ flops, sentBytes, receivedBytes }) => ({ flops, sentBytes, receivedBytes }));
  expect(work(overlapping)).toEqual(work(plain));
  expect(overlapping.collectives.map(({ calls }) => calls)).toEqual(
    plain.collectives.map(({ calls }) => calls),
  );
});

test("a window takes no memory of its own", () => {
  const { ranks } = lower(planOf(130));
  for (const { buffers } of ranks) {
    const known = new Map(buffers.map((buffer) => [buffer.id, buffer]));
    const windows = buffers.filter(({ within }) => within !== undefined);
    expect(windows.length).toBeGreaterThan(0);
    for (const { within, bytes } of windows) {
      const whole = known.get(within!.buffer);
      expect(within!.offset + bytes).toBeLessThanOrEqual(whole!.bytes);
      expect(within!.offset % 256).toBe(0);
    }
  }
  expect(ranks.map(({ buffers }) => allocated(buffers))).toEqual(
    estimatePlan(planOf(130)).ranks.map(({ memoryBytes }) => memoryBytes),
  );
});

function allocated(buffers: readonly { bytes: number; within?: unknown }[]): number {
  return buffers.reduce((sum, { bytes, within }) => sum + (within === undefined ? bytes : 0), 0);
}

test("the least time of a step with overlap is no more than without", () => {
  const peaks = { flops: 1e9, linkBandwidth: 1e6 };
  const stepMs = (given: Plan): number => estimatePlan(given, peaks).bound?.stepMs ?? 0;
  expect(stepMs(planOf(256))).toBeGreaterThan(0);
  expect(stepMs(planOf(256))).toBeLessThan(stepMs(without(planOf(256))));
});

test("a pipeline in 1F1B order overlaps too, its copies of activations with windows of their own", async () => {
  const pipelined = plan(
    "pipelined",
    4,
    [
      [linear(6, 10, "column", group), linear(10, 6, "row", group)],
      [linear(6, 10, "column", [[2, 3]]), linear(10, 6, "row", [[2, 3]])],
    ],
    {
      optimizations: ["communication-overlap"],
      workload: {
        batch: 4,
        microBatches: 4,
        sequence: 70,
        mode: "training",
        schedule: "1f1b",
      },
    },
  );
  expect(await worstError(pipelined)).toBeLessThan(1e-6);
});

test("experts compute on one block while rows of the other are on their way", async () => {
  const experts = plan("experts", 2, [[moe(8, 4, 2, group, [0, 1])]], {
    optimizations: ["communication-overlap"],
    workload: { batch: 2, microBatches: 1, sequence: 90 },
  });
  const [rank] = lower(experts).ranks;
  const route = ["copy", "matmul", "route_top_k", "route_positions", "permute_tokens"];
  const compute = ["done", "grouped_matmul", "grouped_matmul", "expert-combine-start"];
  const block = [...route, "expert-dispatch-start"];
  const end = ["done", "combine_tokens"];
  expect(words(rank!.instructions).slice(0, 24)).toEqual(
    [block, block, compute, compute, end, end].flat(),
  );
  expect(await worstError(experts)).toBeLessThan(1e-6);
  const plain = estimatePlan(without(experts));
  expect(estimatePlan(experts).ranks.map(({ sentBytes }) => sentBytes)).toEqual(
    plain.ranks.map(({ sentBytes }) => sentBytes),
  );
});

test("experts with a capacity, which counts all tokens at once, are not split", () => {
  const limited = plan("limited", 2, [[moe(8, 4, 2, group, [0, 1], { capacityFactor: 1 })]], {
    optimizations: ["communication-overlap"],
    workload: { batch: 2, microBatches: 1, sequence: 90 },
  });
  const starts = words(lower(limited).ranks[0]!.instructions).filter((op) =>
    op.startsWith("expert"),
  );
  expect(starts).toEqual(["expert-dispatch", "expert-combine"]);
});
