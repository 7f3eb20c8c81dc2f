// What a plan's records say that layers leave is what their ops leave.

import { expect, test } from "vitest";
import type { ExpertGroup } from "../../src/plan/groups.ts";
import { columns, group, leftBy } from "../support/left_by.ts";
import { attention, linear, mlp, moe } from "../support/plans.ts";

function experts(expertGroups: readonly ExpertGroup[]) {
  return moe(columns, 2, 1, [group], [], { expertGroups });
}
const table = { op: "embedding", vocabulary: 10, hidden: columns, groups: [group] } as const;

test.each([
  ["a column-parallel matrix", linear(columns, columns, "column", [group]), [2]],
  ["a row-parallel matrix", linear(columns, columns, "row", [group]), [2]],
  ["a whole matrix", linear(columns, columns, "replicated", [group]), []],
  ["a table split by columns", { ...table, split: "column" as const }, [2]],
  ["a table split by rows", { ...table, split: "row" as const }, [2]],
  ["attention", attention(columns, 2, 2, [group]), [2]],
  ["an MLP", mlp(columns, columns, "gelu", [group]), [2]],
  ["whole experts", experts([[[0], [1]]]), []],
  ["slices of experts", experts([[[0, 1]]]), [2]],
  ["a norm", { op: "norm", norm: "rms", hidden: columns, epsilon: 1e-5, groups: [group] }, []],
  ["a residual", { op: "residual", hidden: columns, from: 0, groups: [group] }, []],
] as const)("%s", (_, draft, sizes) => {
  const left = leftBy({ ...draft, name: "here" });
  expect(left.lies).toEqual(left.said);
  expect(left.sizes).toEqual(sizes);
});
