import { expect, test } from "vitest";
import {
  errorsOf,
  found,
  infosOf,
  linear,
  stages,
  warningsOf,
  withDegrees,
} from "../../plan/checked.ts";

test.each([
  [4, []],
  [3, ["micro-batches-do-not-divide-batch"]],
  [8, []],
  [9, ["micro-batches-do-not-divide-batch"]],
])("a batch of 8 in %i micro-batches", (microBatches, codes) => {
  expect(errorsOf(withDegrees({ workload: { batch: 8, microBatches } }))).toEqual(codes);
});

test.each([
  [4, 2, []],
  [6, 2, ["replicas-do-not-divide-micro-batch"]],
  [6, 3, []],
  [4, 4, ["replicas-do-not-divide-micro-batch"]],
])("a batch of %i in %i micro-batches for 2 replicas", (batch, microBatches, codes) => {
  const plan = withDegrees({
    hardware: { gpus: 4 },
    workload: { batch, microBatches },
    parallel: { tensor: 2, data: 2, expert: 2 },
  });
  expect(errorsOf(plan)).toEqual(codes);
});

function uneven(batch: number) {
  return stages(3, [[linear(8, 8, { kind: "data", gpus: [0, 1, 2] })]], [], { batch });
}

test("explicit replicas may be uneven, which is pointed out, but not empty", () => {
  expect([errorsOf(uneven(6)), warningsOf(uneven(6))]).toEqual([[], []]);
  expect([errorsOf(uneven(4)), warningsOf(uneven(4))]).toEqual([[], ["replicas-uneven"]]);
  expect(errorsOf(uneven(3))).toEqual([]);
  expect(errorsOf(uneven(2))).toEqual(["replica-without-samples"]);
});

function aggregate(over: string) {
  return { op: "aggregate", over };
}

test("the one row that a mean over the batch leaves is not for several replicas", () => {
  const data = { kind: "data", gpus: [0, 1] };
  const plan = (over: string) =>
    stages(2, [[linear(8, 8, data), aggregate(over), linear(8, 8, data)]]);
  expect(errorsOf(plan("sequence"))).toEqual([]);
  expect(errorsOf(plan("batch"))).toEqual(["replica-without-samples"]);
});

test.each([
  [2, []],
  [3, ["pipeline-does-not-divide-layers"]],
  [4, []],
])("4 layers in %i pipeline stages", (pipeline, codes) => {
  const plan = withDegrees({
    hardware: { gpus: 2 * pipeline },
    model: { layers: 4 },
    parallel: { tensor: 2, pipeline, expert: 2 },
  });
  expect(errorsOf(plan)).toEqual(codes);
});

function pipelined(microBatches: number) {
  return withDegrees({
    hardware: { gpus: 4 },
    workload: { batch: 8, microBatches },
    parallel: { tensor: 2, pipeline: 2, expert: 2 },
  });
}

test("as many micro-batches as stages fill a pipeline, one less does not", () => {
  expect(infosOf(pipelined(2))).toContain("pipeline-filled");
  expect(warningsOf(pipelined(2))).toEqual([]);
  expect(warningsOf(pipelined(1))).toEqual(["pipeline-not-filled"]);
  expect(found(pipelined(1), "pipeline-not-filled")?.message).toContain("50 %");
});
