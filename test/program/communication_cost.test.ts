import fc from "fast-check";
import { expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import {
  communicationCosts,
  type CommunicationCost,
} from "../../src/program/communication_cost.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { linear, mlp, moe, norm, plan } from "../support/plans.ts";
import { sequencePlan } from "../support/sequence_plans.ts";

function only(given: Plan): CommunicationCost {
  const [cost, ...others] = communicationCosts(given);
  if (cost === undefined || others.length > 0) throw new Error("one communication is expected");
  return cost;
}

/** Rows that all micro-batches of `plan` have. */
const rows = 4 * 3;

function gathered(to: number[], next: number[]): Plan {
  return plan("gathered", 4, [[linear(4, 8, "column", [[0, 1]])], [linear(8, 4, "row", [next])]], {
    communications: [{ name: "gather", op: "all-gather", from: [0, 1], to, after: 0 }],
  });
}

test("a row split reads its own columns of what is gathered for it", () => {
  const [gather] = communicationCosts(gathered([1, 2], [1, 2]));
  expect(gather).toMatchObject({ op: "all-gather", name: "gather", hops: 1 });
  // GPU 1 lacks the first half, which it reads; GPU 2 gets both halves, of which it reads the second.
  expect(gather?.worst).toEqual({
    gpu: 2,
    received: 4 * rows * 8,
    least: 4 * rows * 4,
    excess: "unread",
  });
});

test("columns that a member has made itself need not arrive", () => {
  // GPU 1 reads the second half, which it has made; GPU 2 the first.
  const [gather] = communicationCosts(gathered([2, 1], [2, 1]));
  const [worst] = [gather?.worst].map((each) => each && each.received - each.least);
  expect(worst).toBe(4 * rows * 4);
});

test("control: what gathers for a layer that reads all columns brings the least", () => {
  const replicated = plan(
    "replicated",
    3,
    [[linear(4, 8, "column", [[0, 1]])], [linear(8, 4, "replicated", [[1, 2]])]],
    { communications: [{ name: "gather", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 }] },
  );
  const { worst } = only(replicated);
  expect(worst.received).toBe(4 * rows * 8);
  expect(worst.least).toBe(worst.received);
});

test("control: what is added again later is read whole", () => {
  const added = plan(
    "added",
    4,
    [
      [linear(4, 8, "column", [[0, 1]])],
      [linear(8, 8, "row", [[1, 2]]), { op: "residual", from: 0, hidden: 8, groups: [[1, 2]] }],
    ],
    { communications: [{ name: "gather", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 }] },
  );
  const gather = communicationCosts(added).find(({ name }) => name === "gather");
  expect(gather?.worst.least).toBe(gather?.worst.received);
});

test("control: what goes to its readers by way of others is gathered whole", () => {
  const stages = [[linear(4, 8, "column", [[0, 1]])], [linear(8, 4, "row", [[2, 3]])]];
  const relayed = plan("relayed", 4, stages, {
    communications: [
      { name: "gather", op: "all-gather", from: [0, 1], to: [1], after: 0 },
      { name: "spread", op: "broadcast", from: [1], to: [2, 3], after: 0 },
    ],
  });
  const gather = communicationCosts(relayed).find(({ name }) => name === "gather");
  expect(gather?.worst.least).toBe(gather?.worst.received);
});

function summed(ranks: number, columns: number): CommunicationCost {
  return only(plan("summed", ranks, [[mlp(columns, 12, "gelu", [[...Array(ranks).keys()]])]]));
}

test("a small sum goes to all in one hop: the least bytes for two GPUs, not for three", () => {
  const size = 4 * rows * 8;
  expect(summed(2, 8)).toMatchObject({ hops: 1, worst: { received: size, least: size } });
  expect(summed(3, 8)).toMatchObject({
    hops: 1,
    worst: { received: 2 * size, excess: "added-again" },
  });
  expect(summed(3, 8).worst.least).toBeCloseTo((4 / 3) * size, 6);
});

test("a large sum takes two hops, which save bytes for three GPUs, not for two", () => {
  const [two, three] = [summed(2, 16_384), summed(3, 16_384)];
  expect(two).toMatchObject({ hops: 2, hopsSaveBytes: false });
  expect(three).toMatchObject({ hops: 2, hopsSaveBytes: true });
  for (const { worst } of [two, three]) expect(worst.received / worst.least).toBeCloseTo(1, 2);
});

test("a sum of others is worth its size at least", () => {
  const reduced = plan(
    "reduced",
    3,
    [[linear(8, 4, "row", [[0, 1]])], [linear(4, 4, "replicated", [[2]])]],
    { communications: [{ name: "sum", op: "all-reduce", from: [0, 1], to: [2], after: 0 }] },
  );
  const size = 4 * rows * 4;
  expect(only(reduced).worst).toMatchObject({ gpu: 2, received: 2 * size, least: size });
});

function dispatchOf(given: Plan): CommunicationCost["worst"] | undefined {
  return communicationCosts(given).find(({ op }) => op === "expert-dispatch")?.worst;
}

test("tokens that are dispatched within a tensor group are there already", () => {
  const group = [[0, 1]];
  const held = plan("held", 3, [[norm(8, group), moe(8, 6, 1, group, [0, 1, 2])]]);
  expect(dispatchOf(held)).toMatchObject({ least: 0, excess: "held" });
});

test("control: each of two replicas has tokens of its own, and so has each rank of a sequence-parallel group", () => {
  const groups = [[0], [1]];
  const replicas = plan("replicas", 2, [[norm(8, groups), moe(8, 6, 1, groups, [0, 1])]]);
  const sequence = sequencePlan({
    model: "moe: { experts: 4, topK: 2, ffn: 6 }",
    parallel: "{ tensor: 2, expert: 2, sequence: true }",
  });
  for (const given of [replicas, sequence]) {
    const worst = dispatchOf(given);
    expect(worst?.received).toBeGreaterThan(0);
    expect(worst?.least).toBe(worst?.received);
  }
});

test("of data replicas that do the same, the first GPU is named, and the blocks of what overlaps are counted", () => {
  const overlapped = sequencePlan({ parallel: "{ tensor: 2, data: 2 }" });
  const rowsOf = { ...overlapped.workload, sequence: 512 };
  const costs = communicationCosts({
    ...overlapped,
    workload: rowsOf,
    optimizations: ["communication-overlap"],
  });
  expect(costs.every(({ worst }) => worst.gpu < 2)).toBe(true);
  expect(Math.max(...costs.map(({ blocks }) => blocks))).toBe(4);
});

test("for random plans nothing arrives below the least, and no more than the estimate says of the GPU", () => {
  fc.assert(
    fc.property(arbitraryPlan(), (given) => {
      const { ranks } = estimatePlan(given);
      for (const { worst, hops, blocks } of communicationCosts(given)) {
        expect(worst.received).toBeGreaterThanOrEqual(worst.least);
        expect(worst.received).toBeLessThanOrEqual((ranks[worst.gpu]?.receivedBytes ?? 0) + 1e-6);
        expect(Math.min(hops, blocks, worst.least + 1)).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 60 },
  );
});
