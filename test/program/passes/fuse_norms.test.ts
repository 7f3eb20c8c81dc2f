import { expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { lower } from "../../../src/program/lower.ts";
import { linear, norm, plan } from "../../support/plans.ts";
import { worstError } from "../../support/worst_error.ts";

/** Of the first micro-batch. */
function kernelsOf(given: Plan, rank: number): string[] {
  return lower(given).ranks[rank]!.instructions.flatMap((one) =>
    one.op === "kernel" && one.origin.microBatch === 0 ? [one.kernel] : [],
  );
}

function residual(from: number, groups: number[][]) {
  return { op: "residual", hidden: 6, from, groups } as const;
}

const groups = [[0, 1]];

test.each([
  ["rms", "add_rms_norm"],
  ["layer", "add_layer_norm"],
] as const)("a residual and the %s norm after it are one kernel", async (kind, fused) => {
  const given = plan("fused", 2, [
    [
      linear(6, 6, "replicated", groups),
      linear(6, 6, "row", groups),
      residual(1, groups),
      norm(6, groups, kind),
    ],
  ]);
  expect(kernelsOf(given, 0)).toEqual(["matmul", "slice_columns", "matmul", fused]);
  expect(kernelsOf(given, 1)).toEqual(["matmul", "slice_columns", "matmul", fused]);
  expect(await worstError(given)).toBeLessThan(1e-6);
});

test("what a later residual skips from is the sum, which is kept", async () => {
  const given = plan("kept", 2, [
    [
      linear(6, 6, "row", groups),
      residual(0, groups),
      norm(6, groups),
      linear(6, 6, "row", groups),
      residual(2, groups),
    ],
  ]);
  const product = ["slice_columns", "matmul"];
  expect(kernelsOf(given, 0)).toEqual([...product, "add_rms_norm", ...product, "add"]);
  expect(await worstError(given)).toBeLessThan(1e-6);
});

test("a residual whose norm is on other ranks is left alone, and so is one at the end", () => {
  const given = plan("apart", 2, [
    [norm(6, [[0]]), residual(0, [[0]]), norm(6, [[1]]), residual(2, [[1]])],
  ]);
  expect(kernelsOf(given, 0)).toEqual(["rms_norm", "add"]);
  expect(kernelsOf(given, 1)).toEqual(["rms_norm", "add"]);
});
