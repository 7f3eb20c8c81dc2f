import { expect, test } from "vitest";
import { checkPlan, hasErrors } from "../../src/check/check_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { worstError } from "../support/worst_error.ts";

function load(
  layers: readonly [first: string, second: string],
  communication: string,
  optimizations = "[]",
): Plan {
  const [a, b] = layers.map((layer) => `[{ op: linear, in: 8, out: 8, parallel: ${layer} }]`);
  const { plan } = parsePlan(
    `name: x\nhardware: { gpus: 4 }\nworkload: { batch: 8, microBatches: 2 }\n` +
      `stages: [{ name: a, layers: ${a} }, { name: b, layers: ${b} }]\n` +
      `communications: [{ name: ab, ${communication} }]\noptimizations: ${optimizations}\n`,
    "plan.yaml",
  );
  if (plan === undefined || hasErrors(checkPlan(plan))) throw new Error("the plan is refused");
  return plan;
}

const row = "{ kind: row, gpus: [0, 1] }";
const copies = "{ kind: replicated, gpus: [0, 1] }";
const two = "{ kind: replicated, gpus: [2] }";

test.each([
  ["an all-reduce from the last to the first", row, two, "op: all-reduce, from: [1, 0], to: [2]"],
  [
    "an all-reduce to both",
    row,
    "{ kind: replicated, gpus: [2, 3] }",
    "op: all-reduce, from: [1, 0], to: [3, 2]",
  ],
  [
    "a reduce-scatter",
    row,
    "{ kind: data, gpus: [2, 3] }",
    "op: reduce-scatter, from: [1, 0], to: [2, 3]",
  ],
  ["a send of the second copy", copies, two, "op: send, from: [1], to: [2]"],
  [
    "sends of copies crosswise",
    copies,
    "{ kind: replicated, gpus: [2, 3] }",
    "op: send, from: [1, 0], to: [2, 3]",
  ],
  [
    "a broadcast of the second copy",
    copies,
    "{ kind: replicated, gpus: [2, 3] }",
    "op: broadcast, from: [1], to: [2, 3]",
  ],
])("%s computes what its layers mean", async (_what, first, second, communication) => {
  for (const optimizations of ["[]", "[communication-overlap]"]) {
    const plan = load([first, second], communication, optimizations);
    expect(await worstError(plan)).toBeLessThan(1e-6);
  }
});
