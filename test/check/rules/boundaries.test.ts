import { expect, test } from "vitest";
import { errorsOf, linear, stages, stagesPlan, withStages } from "../../plan/checked.ts";

function column(gpus: number[]) {
  return linear(12, 12, { kind: "column", gpus });
}
function row(gpus: number[]) {
  return linear(12, 12, { kind: "row", gpus });
}
function whole(gpus: number[]) {
  return linear(12, 12, { kind: "replicated", gpus });
}
function replicas(gpus: number[]) {
  return linear(12, 12, { kind: "data", gpus });
}
function mlp(gpus: number[]) {
  return {
    op: "mlp",
    hidden: 12,
    ffn: 12,
    parallel: { kind: "tensor", gpus },
  };
}
function moe(gpus: number[], kind: string) {
  return {
    ...mlp(gpus),
    op: "moe",
    experts: 4,
    parallel: { kind, gpus },
  };
}
function by(op: string, from: number[], to: number[], name: string = op) {
  return {
    name,
    op,
    from,
    to,
  };
}
type Layer = Record<string, unknown>;
function joined(before: Layer, after: Layer, ...communications: Record<string, unknown>[]) {
  return errorsOf(
    stages(
      4,
      [[before], [after]],
      communications.map((each) => Object.assign(each, { after: "s0" })),
    ),
  );
}

test("a column-parallel result is gathered, or consumed sharded by the same GPUs", () => {
  expect(joined(column([0, 1]), whole([2]), by("all-gather", [0, 1], [2]))).toEqual([]);
  expect(joined(column([0, 1]), row([0, 1]))).toEqual([]);
  expect(joined(column([0, 1]), row([1, 0]))).toEqual(["column-result-not-gathered"]);
  expect(joined(column([0, 1]), whole([0, 1]))).toEqual(["column-result-not-gathered"]);
  expect(joined(column([0, 1]), whole([2]), by("all-reduce", [0, 1], [2]))).toEqual([
    "column-result-not-gathered",
  ]);
});

test("a row-parallel sum is reduced", () => {
  expect(joined(row([0, 1]), whole([2]), by("all-reduce", [0, 1], [2]))).toEqual([]);
  expect(joined(row([0, 1]), whole([0, 1]))).toEqual(["row-result-not-reduced"]);
  expect(joined(row([0, 1]), whole([2]), by("all-gather", [0, 1], [2]))).toEqual([
    "row-result-not-reduced",
  ]);
});

test("one GPU alone has a whole result, however its layer is called", () => {
  expect(joined(column([0]), whole([0]))).toEqual([]);
  expect(joined(row([0]), whole([0]))).toEqual([]);
});

test("a whole result is at hand or is moved", () => {
  expect(joined(whole([0, 1]), whole([0, 1]))).toEqual([]);
  expect(joined(whole([0, 1]), whole([1]))).toEqual([]);
  expect(joined(whole([0]), whole([1]))).toEqual(["stages-not-connected"]);
  expect(joined(whole([0]), whole([1]), by("send", [0], [1]))).toEqual([]);
  expect(joined(whole([0]), whole([1, 2]), by("broadcast", [0], [1, 2]))).toEqual([]);
  expect(joined(whole([0, 1]), whole([0]), by("all-reduce", [0, 1], [0]))).toEqual([
    "communication-does-not-fit-result",
  ]);
});

test("what one GPU holds alone fits every operation", () => {
  for (const op of ["send", "broadcast", "all-gather", "all-reduce"]) {
    expect(joined(row([0]), whole([1]), by(op, [0], [1]))).toEqual([]);
  }
});

test("the means of several replicas are summands of the mean over the batch", () => {
  const aggregate = { op: "aggregate", over: "batch", parallel: { kind: "data", gpus: [0, 1] } };
  const join = (...communications: Record<string, unknown>[]) =>
    errorsOf(stages(3, [[replicas([0, 1]), aggregate], [whole([2])]], communications));
  expect(join(by("all-reduce", [0, 1], [2]))).toEqual([]);
  expect(join(by("all-gather", [0, 1], [2]))).toEqual(["row-result-not-reduced"]);
  expect(join()).toEqual(["row-result-not-reduced"]);
});

test("a layer that reduces its own result leaves that to a declared communication", () => {
  expect(joined(mlp([0, 1]), whole([0, 1]))).toEqual([]);
  expect(joined(mlp([0, 1]), whole([2]), by("all-reduce", [0, 1], [2]))).toEqual([]);
  expect(joined(mlp([0, 1]), whole([2, 3]), by("send", [0, 1], [2, 3]))).toEqual([
    "row-result-not-reduced",
  ]);
});

test("whole experts give back rows, slices of experts give summands", () => {
  const [gather, reduce] = [by("all-gather", [0, 1], [2]), by("all-reduce", [0, 1], [2])];
  const experts = moe([0, 1], "expert");
  expect(joined(experts, whole([0, 1]))).toEqual([]);
  expect(joined(experts, whole([2]), gather)).toEqual([]);
  expect(joined(experts, whole([2]), reduce)).toEqual(["communication-does-not-fit-result"]);
  const slices = moe([0, 1], "tensor");
  expect(joined(slices, whole([0, 1]))).toEqual([]);
  expect(joined(slices, whole([2]), reduce)).toEqual([]);
  expect(joined(slices, whole([2]), gather)).toEqual(["row-result-not-reduced"]);
});

test("rows divided among GPUs go to data replicas, or are gathered", () => {
  const scatter = by("reduce-scatter", [0, 1], [2, 3], "scatter");
  expect(joined(row([0, 1]), replicas([2, 3]), scatter)).toEqual([]);
  expect(joined(row([0, 1]), whole([2, 3]), scatter)).toEqual(["rows-not-gathered"]);
  const gather = by("all-gather", [2, 3], [1, 2], "gather");
  expect(joined(row([0, 1]), whole([1, 2]), scatter, gather)).toEqual([]);
  expect(joined(column([0, 1]), replicas([0, 1]), by("all-to-all", [0, 1], [0, 1]))).toEqual([]);
  expect(joined(replicas([0, 1]), replicas([0, 1]))).toEqual([]);
  expect(joined(replicas([0, 1]), whole([2]), by("all-gather", [0, 1], [2]))).toEqual([]);
  expect(joined(replicas([0, 1]), whole([0]))).toEqual(["stages-not-connected"]);
});

test("a communication starts from all holders in their order, and reaches all who need it", () => {
  expect(joined(column([0, 1]), whole([2]), by("all-gather", [1, 0], [2]))).toEqual([
    "communication-source-differs",
  ]);
  expect(joined(column([0, 1]), whole([2]), by("all-gather", [0], [2]))).toEqual([
    "communication-source-differs",
  ]);
  expect(joined(whole([0]), whole([1, 2]), by("send", [0], [1]))).toEqual([
    "communication-misses-gpu",
  ]);
});

test("summands have no order, and of copies any will do; blocks are joined in their order", () => {
  expect(joined(row([0, 1]), whole([2]), by("all-reduce", [1, 0], [2]))).toEqual([]);
  expect(joined(row([2, 0, 1]), whole([3]), by("all-reduce", [0, 1, 2], [3]))).toEqual([]);
  expect(joined(mlp([0, 1]), whole([0, 1]), by("all-reduce", [1, 0], [1, 0]))).toEqual([]);
  expect(joined(row([0, 1]), replicas([2, 3]), by("reduce-scatter", [1, 0], [2, 3]))).toEqual([]);
  expect(joined(whole([0, 1]), whole([2, 3]), by("send", [1, 0], [2, 3]))).toEqual([]);
  expect(joined(whole([0, 1]), whole([2]), by("send", [1], [2]))).toEqual([]);
  expect(joined(whole([0, 1]), whole([2, 3]), by("broadcast", [1], [2, 3]))).toEqual([]);
  const rows = by("all-gather", [1, 0], [2]);
  expect(joined(replicas([0, 1]), whole([2]), rows)).toEqual(["communication-source-differs"]);
  const columns = by("all-to-all", [1, 0], [0, 1]);
  expect(joined(column([0, 1]), replicas([0, 1]), columns)).toEqual([
    "communication-source-differs",
  ]);
});

test("a sum takes each summand once, and all of them", () => {
  const reduced = (from: number[]) => joined(row([0, 1]), whole([2]), by("all-reduce", from, [2]));
  expect(reduced([1])).toEqual(["communication-source-differs"]);
  expect(reduced([0, 0])).toContain("communication-source-differs");
  expect(reduced([0, 1, 0])).toContain("communication-source-differs");
  expect(reduced([0, 2])).toContain("communication-source-differs");
  const copies = (from: number[]) => joined(whole([0, 1]), whole([2]), by("send", from, [2]));
  expect(copies([0, 0])).toContain("communication-source-differs");
  expect(copies([3])).toContain("communication-source-differs");
});

test("members take part in the stages on both sides", () => {
  const [first, second] = stagesPlan.communications;
  const leaving = withStages({ communications: [{ ...first, from: [0, 2] }, second] });
  expect(errorsOf(leaving)).toContain("communication-member-not-in-stage");
  const arriving = withStages({ communications: [{ ...first, to: [1, 2, 0] }, second] });
  expect(errorsOf(arriving)).toEqual(["communication-member-not-in-stage"]);
});

test("a broadcast has one source", () => {
  expect(joined(whole([0, 1]), whole([2]), by("broadcast", [0, 1], [2]))).toEqual([
    "broadcast-needs-one-source",
  ]);
});

test("stages and communications have names of their own", () => {
  const [a, b, c] = stagesPlan.stages;
  expect(errorsOf(withStages({ stages: [a, b, { ...c, name: "a" }] }))).toEqual([
    "name-used-twice",
  ]);
  const [first, second] = stagesPlan.communications;
  expect(errorsOf(withStages({ communications: [first, { ...second, name: "ab" }] }))).toEqual([
    "name-used-twice",
  ]);
});

test("the result of several tensor groups cannot be moved by one communication", () => {
  const groups = linear(12, 12, {
    kind: "column",
    gpus: [
      [0, 1],
      [2, 3],
    ],
  });
  expect(joined(groups, whole([0]), by("all-gather", [0, 1], [0]))).toEqual([
    "communication-of-several-groups",
  ]);
});
