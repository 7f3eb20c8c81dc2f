import { expect, test } from "vitest";
import { linear, stages, warningsOf } from "../../plan/checked.ts";

function replicasOn(gpus: number, replicas: number[]) {
  return warningsOf(stages(gpus, [[linear(8, 8, { kind: "data", gpus: replicas })]]));
}

test("data parallelism of one replica is none, unless there is one GPU", () => {
  expect(replicasOn(2, [0, 1])).toEqual([]);
  expect(replicasOn(2, [1])).toContain("single-data-replica");
  expect(replicasOn(1, [0])).toEqual([]);
});
