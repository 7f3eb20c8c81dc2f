import { describe, expect, test } from "vitest";
import { estimate } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { linear, mlp, moe, plan, plans } from "../support/plans.ts";

function estimateOf(p: (typeof plans)[number]) {
  return estimate(lower(p), p);
}

test("a linear layer costs 2 · rows · in · out, however it is split", () => {
  const alone = plan("alone", 1, [[linear(8, 6, "replicated", [[0]])]]);
  const split = plan("split", 2, [[linear(8, 6, "column", [[0, 1]])]]);
  const flops = 2 * 4 * 3 * 8 * 6;
  expect(estimateOf(alone).ranks[0]?.flops).toBe(flops);
  expect(estimateOf(split).ranks.map((rank) => rank.flops)).toEqual([flops / 2, flops / 2]);
  expect(estimateOf(split).modelFlops).toBe(flops);
});

test("a reduction is counted on every rank that receives it", () => {
  const p = plan("reduce", 2, [[mlp(8, 4, "gelu", [[0, 1]])]]);
  const rows = 4 * 3;
  const matmuls = (2 * rows * 8 * 4 * 2) / 2;
  expect(estimateOf(p).ranks.map((rank) => rank.flops)).toEqual([
    matmuls + rows * 8,
    matmuls + rows * 8,
  ]);
  expect(estimateOf(p).modelFlops).toBe(2 * matmuls);
});

test("what one rank sends, another receives", () => {
  for (const p of plans) {
    const { ranks } = estimateOf(p);
    const sent = ranks.reduce((sum, rank) => sum + rank.sentBytes, 0);
    const received = ranks.reduce((sum, rank) => sum + rank.receivedBytes, 0);
    expect(sent).toBeCloseTo(received, 6);
  }
});

test("an all-gather of two halves moves each half once", () => {
  const p = plan("gather", 3, [[linear(4, 8, "column", [[0, 1]])]], {
    communications: [{ name: "g", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 }],
  });
  const half = 4 * 3 * 4 * 4;
  const wire = estimateOf(p).ranks.map((rank) => [rank.sentBytes, rank.receivedBytes]);
  expect(wire).toEqual([
    [2 * half, 0],
    [half, half],
    [0, 2 * half],
  ]);
});

test("memory by role adds up to the whole", () => {
  for (const p of plans) {
    for (const rank of estimateOf(p).ranks) {
      const sum = Object.values(rank.memoryByRole).reduce((total, bytes) => total + bytes, 0);
      expect(sum).toBe(rank.memoryBytes);
    }
  }
});

describe("a mixture of experts", () => {
  const tokens = 2 * 3;
  const withFactor = (capacityFactor?: number) =>
    plan("moe", 2, [
      [
        linear(4, 8, "replicated", [[0]]),
        moe(8, 4, 2, [[0]], [0, 1], capacityFactor === undefined ? {} : { capacityFactor }),
      ],
    ]);
  const received = (p: ReturnType<typeof withFactor>) =>
    lower(p).ranks[1]?.buffers.find((buffer) => buffer.id.endsWith("experts/in"))?.shape[0];

  test("dropless, a rank has room for every choice", () => {
    expect(received(withFactor())).toBe(tokens * 2);
  });

  test("with a capacity, for what its experts accept", () => {
    expect(received(withFactor(1))).toBe(2 * Math.ceil((tokens * 2) / 4));
    expect(received(withFactor(1.25))).toBe(2 * Math.ceil(((tokens * 2) / 4) * 1.25));
  });

  test("counts the chosen experts only", () => {
    const router = 2 * 2 * tokens * 8 * 4;
    const first = 2 * 2 * tokens * 4 * 8;
    const experts = 2 * 2 * (tokens * 2) * 8 * 6 * 2;
    const topK = 2 * tokens * 4 * (4 + 2);
    const combine = 2 * 2 * tokens * 2 * 8;
    expect(estimateOf(withFactor()).modelFlops).toBe(router + first + experts + topK + combine);
  });
});
