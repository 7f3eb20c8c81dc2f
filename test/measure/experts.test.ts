import { expect, test } from "vitest";
import { expertLoads, expertMetrics } from "../../src/measure/experts.ts";
import type { Instruction } from "../../src/program/program.ts";
import { programOf, rankTrace, stepTrace } from "./synthetic.ts";

const dispatch: Instruction = {
  op: "expert-dispatch",
  origin: { stage: "s", layer: "s/0.moe", microBatch: 0, phase: "forward" },
  name: "dispatch",
  channel: 0,
  dtype: "f32",
  from: [0],
  to: [1, 0],
  rows: 4,
  rowElements: 4,
  expertsPerRank: [2, 2],
};

const program = programOf(["s/0.moe"], [[dispatch], [dispatch]]);
function loaded(first: readonly number[], second: readonly number[], dropped = 0) {
  return stepTrace([
    rankTrace(0, [], { endMs: 1, expertTokens: { "s/0.moe": first } }),
    rankTrace(1, [], {
      endMs: 1,
      expertTokens: { "s/0.moe": second },
      droppedTokens: { "s/0.moe": dropped },
    }),
  ]);
}

function metricsOf(first: readonly number[], second: readonly number[], dropped = 0) {
  return expertLoads(program, loaded(first, second, dropped)).map(expertMetrics)[0];
}

test("experts are listed in the order in which ranks hold them, not by rank", () => {
  expect(metricsOf([1, 2], [3, 4])?.tokensPerExpert).toEqual([3, 4, 1, 2]);
});

test("a balanced load has overload 1, no dead experts and no variance", () => {
  expect(metricsOf([5, 5], [5, 5])).toMatchObject({
    overload: { value: 1 },
    deadExperts: { value: 0 },
    tokenVariance: { value: 0 },
  });
});

test("overload compares the busiest rank with a balanced one", () => {
  expect(metricsOf([6, 0], [2, 0])).toMatchObject({
    overload: { value: 1.5 },
    deadExperts: { value: 2 },
  });
});

test("dropped choices are counted against all choices", () => {
  expect(metricsOf([2, 2], [2, 2], 2)?.dropRate?.value).toBe(0.2);
});

test("without tokens there is no overload, rather than one of 0", () => {
  const metrics = metricsOf([0, 0], [0, 0]);
  expect(metrics?.overload).toBeUndefined();
  expect(metrics?.dropRate).toBeUndefined();
});

test("a layer without experts is not reported", () => {
  expect(expertLoads(programOf(["s/0.mlp"], [[]]), stepTrace([rankTrace(0, [])]))).toEqual([]);
});
