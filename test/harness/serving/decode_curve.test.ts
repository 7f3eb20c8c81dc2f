// Which contexts a plan has, and what a step at one of them works on.

import { describe, expect, test } from "vitest";
import { curveProgram, refuseContexts, stepAt } from "../../../src/harness/serving/decode_curve.ts";
import { normalise } from "../../../src/plan/normalise.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import type { PlanFile } from "../../../src/plan/schema.ts";

const serving = { mode: "serving", batch: 3, inputTokens: 7, outputTokens: 4, pageTokens: 4 };

function planOf(workload: object, model: object = {}): Plan {
  const { plan } = normalise({
    name: "served",
    hardware: { gpus: 2 },
    workload,
    model: { layers: 1, hidden: 16, heads: 2, vocabulary: 20, ...model },
    parallel: { data: 2 },
  } as unknown as PlanFile);
  if (plan === undefined) throw new Error("no plan");
  return plan;
}

describe("contexts", () => {
  const learned = { positions: { kind: "learned", count: 40, offset: 2 } };

  test("control: a plan that serves takes any", () => {
    expect(() => refuseContexts(planOf(serving), [100_000])).not.toThrow();
    expect(() => refuseContexts(planOf(serving, learned), [38])).not.toThrow();
  });

  test("are not past the last learned position", () => {
    expect(() => refuseContexts(planOf(serving, learned), [8, 39])).toThrow("for 38 tokens");
  });

  test("are those of plans that serve", () => {
    expect(() => refuseContexts(planOf({ batch: 2, sequence: 8 }), [8])).toThrow("inference");
  });
});

test("each slot's request has its last token at the context, in pages of its own", () => {
  const curve = curveProgram(planOf(serving), [5, 33]);
  const { slots } = stepAt(curve, 5);
  expect(slots.map((slot) => [slot?.first, slot?.tokens])).toEqual([
    [4, 1],
    [4, 1],
    [4, 1],
  ]);
  // Two replicas: the first has two slots.
  const pages = slots.map((slot) => slot?.pages ?? []);
  expect(pages.map((own) => own[0])).toEqual([0, 9, 0]);
  expect(new Set(pages.slice(0, 2).flat()).size).toBe(2 * 9);
  const caches = curve.program.ranks.map(({ buffers }) =>
    buffers.flatMap(({ role, shape }) => (role === "cache" ? [shape[0]] : [])),
  );
  expect(caches).toEqual([[2 * 9 * 4], [9 * 4]]);
});
