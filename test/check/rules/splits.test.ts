import { expect, test } from "vitest";
import { errorsOf, found, linear, stages } from "../../plan/checked.ts";

function one(parallel: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return stages(4, [[{ ...linear(12, 12, parallel), ...more }]]);
}

test.each([
  ["column", 1, 0, "column-splits-wrong-dimension"],
  ["row", 0, 1, "row-splits-wrong-dimension"],
])("%s parallelism splits dimension %i, not %i", (kind, right, wrong, code) => {
  const gpus = [0, 1];
  expect(errorsOf(one({ kind, gpus }))).toEqual([]);
  expect(errorsOf(one({ kind, splitDim: right, gpus }))).toEqual([]);
  const bad = one({ kind, splitDim: wrong, gpus });
  expect(errorsOf(bad)).toEqual([code]);
  expect(found(bad, code)?.path.at(-1)).toBe("splitDim");
});

function mlpSplit(kind: string) {
  return stages(2, [[{ op: "mlp", hidden: 8, ffn: 8, parallel: { kind, gpus: [0, 1] } }]]);
}

test("a layer is split only in ways its op knows", () => {
  expect(errorsOf(mlpSplit("tensor"))).toEqual([]);
  expect(errorsOf(mlpSplit("column"))).toEqual(["parallel-kind-does-not-fit-layer"]);
  expect(errorsOf(one({ kind: "expert", gpus: [0] }))).toEqual([
    "parallel-kind-does-not-fit-layer",
  ]);
});

test.each([
  [2, [0, 1], []],
  [2, [0, 1, 2], ["degree-does-not-match-gpus"]],
  [2, [0], ["degree-does-not-match-gpus"]],
])("degree %i over GPUs %j", (degree, gpus, codes) => {
  expect(errorsOf(one({ kind: "column", degree, gpus }))).toEqual(codes);
});

test.each([
  [{ replicas: 2, gpus: [0, 1, 2, 3] }, []],
  [{ replicas: 3, gpus: [0, 1, 2, 3] }, ["replicas-do-not-match-gpus"]],
  [{ replicas: 2, gpus: [[0], [1]] }, []],
  [{ replicas: 3, gpus: [[0], [1]] }, ["replicas-do-not-match-gpus"]],
])("replicas and lists agree: %j", (parallel, codes) => {
  const errors = errorsOf(one({ kind: "data", ...parallel }));
  expect(errors.filter((code) => code === "replicas-do-not-match-gpus")).toEqual(codes);
});

test("replicas of unequal size are refused", () => {
  expect(
    errorsOf(
      one({
        kind: "column",
        gpus: [
          [0, 1],
          [2, 3],
        ],
      }),
    ),
  ).toEqual([]);
  expect(errorsOf(one({ kind: "column", gpus: [[0, 1], [2]] }))).toEqual([
    "replicas-differ-in-size",
  ]);
});

test("partial sums are not activated, column blocks may be", () => {
  const relu = { activation: "relu" };
  expect(errorsOf(one({ kind: "column", gpus: [0, 1] }, relu))).toEqual([]);
  expect(errorsOf(one({ kind: "row", gpus: [0] }, relu))).toEqual([]);
  expect(errorsOf(one({ kind: "row", gpus: [0, 1] }, relu))).toEqual(["activation-of-partial-sum"]);
});
