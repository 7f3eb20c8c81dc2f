import { expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { estimatePlan } from "../../../src/program/estimate.ts";
import { lower } from "../../../src/program/lower.ts";
import { attention, linear, mlp, norm, plan } from "../../support/plans.ts";
import { worstError } from "../../support/worst_error.ts";

const own = [[0]];
function residual(from: number, groups = own) {
  return { op: "residual", hidden: 6, from, groups } as const;
}

/** Kernels of a rank, products that add a residual marked. */
function kernelsOf(given: Plan, rank = 0): string[] {
  return lower(given).ranks[rank]!.instructions.flatMap((one) => {
    if (one.op !== "kernel" || one.origin.microBatch > 0) return [];
    return [one.kernel === "matmul" && one.shape.residual ? "matmul + residual" : one.kernel];
  });
}

test.each([
  ["linear", linear(6, 6, "row", own, "gelu"), []],
  ["attention", attention(6, 2, 1, own), ["matmul", "attention"]],
  ["mlp", mlp(6, 10, "silu", own), ["matmul", "matmul"]],
] as const)("%s: its last product adds the residual", async (_, layer, before) => {
  const given = plan("added", 1, [[norm(6, own), layer, residual(0), norm(6, own)]]);
  expect(kernelsOf(given)).toEqual(["rms_norm", ...before, "matmul + residual", "rms_norm"]);
  expect(await worstError(given)).toBeLessThan(1e-6);
});

test("every rank that has the whole product adds the residual, one of replicas to its own rows", async () => {
  const both = [[0, 1]];
  const copies = plan("copies", 2, [[linear(6, 6, "replicated", both), residual(0, both)]]);
  expect(kernelsOf(copies, 1)).toEqual(["matmul + residual"]);
  expect(await worstError(copies)).toBeLessThan(1e-6);
  const apart = [[0], [1]];
  const replicas = plan("replicas", 2, [[mlp(6, 10, "gelu", apart), residual(0, apart)]]);
  expect(kernelsOf(replicas, 1)).toEqual(["matmul", "matmul + residual"]);
  expect(await worstError(replicas)).toBeLessThan(1e-6);
});

test.each([
  [
    "a sum over ranks comes first",
    plan("reduced", 2, [[mlp(6, 10, "gelu", [[0, 1]]), residual(0, [[0, 1]])]]),
  ],
  [
    "another residual skips from the product",
    plan("twice", 1, [[linear(6, 6, "row", own), residual(0), residual(1)]]),
  ],
  ["it doubles the product", plan("double", 1, [[linear(6, 6, "row", own), residual(1)]])],
  ["it is on another rank", plan("elsewhere", 2, [[linear(6, 6, "row", own), residual(0, [[1]])]])],
  [
    "something comes between",
    plan("later", 1, [[linear(6, 6, "row", own), norm(6, own), residual(0)]]),
  ],
  ["it opens the next stage", plan("next", 1, [[linear(6, 6, "row", own)], [residual(0)]])],
])("a residual is added by itself where %s", async (_, given) => {
  const kernels = lower(given).ranks.flatMap((_rank, rank) => kernelsOf(given, rank));
  // What is added to itself is scaled.
  expect(kernels.some((kernel) => kernel === "add" || kernel === "aggregate")).toBe(true);
  expect(kernels).not.toContain("matmul + residual");
  expect(await worstError(given)).toBeLessThan(1e-6);
});

test("the estimate has one launch that reads and writes the sum's tables once, and all FLOPs", () => {
  const { kernels, ranks } = estimatePlan(
    plan("counted", 1, [[linear(6, 6, "row", own), residual(0)]]),
  );
  // Two micro-batches of 6 rows, padded to 8 columns: x twice, w and y.
  const table = 6 * 8 * 4;
  const flops = 2 * (2 * 6 ** 3 + 6 ** 2);
  expect(kernels).toEqual([{ kernel: "matmul", calls: 2, flops, kernelBytes: 2 * 4 * table }]);
  // x and y share an arena, where a tensor begins at a multiple of 256 bytes.
  expect(ranks[0]?.memoryBytes).toBe(table + (256 + table));
});
