import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assembleOutputs } from "../../src/harness/assemble.ts";
import { lower } from "../../src/program/lower.ts";
import { unshard } from "../../src/program/unshard.ts";
import { forward } from "../../src/reference/forward.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { interpret } from "../support/interpret.ts";
import { plans } from "../support/plans.ts";
import { wideLogits, wideLogitsPlan } from "../support/wide_logits.ts";
import { worstError } from "../support/worst_error.ts";

describe("a lowered plan computes what its layers mean", () => {
  test.each(plans)("$name", async (plan) => {
    expect(await worstError(plan)).toBeLessThan(1e-6);
  });
});

test.each(wideLogits)("logits in windows of rows are right: %s on %d", async (...which) => {
  const plan = wideLogitsPlan(which);
  const shown = interpret(lower(plan)).filter(({ observation }) => observation.kind === "output");
  expect(shown.length / plan.hardware.gpus).toBe(3);
  expect(await worstError(plan)).toBeLessThan(1e-6);
});

test("windows of logits are as short as bindings ask for", async () => {
  const plan = wideLogitsPlan(["", 1]);
  const { hardware } = plan;
  const narrow = { ...plan, hardware: { ...hardware, maxBinding: 40_000 } };
  const [{ buffers, instructions } = { buffers: [], instructions: [] }] = lower(narrow).ranks;
  const shown = instructions.flatMap((one) => (one.op === "observe" ? [one.buffer] : []));
  expect(shown).toHaveLength(7);
  const bytes = buffers.flatMap((each) => (shown.includes(each.id) ? [each.bytes] : []));
  expect(Math.max(...bytes)).toBe(96 * 400);
  expect(await worstError(narrow)).toBeLessThan(1e-6);
});

describe("the same work on one rank computes the same", () => {
  test.each(plans)("$name", async (plan) => {
    expect(lower(unshard(plan)).ranks).toHaveLength(1);
    expect(await worstError(unshard(plan))).toBeLessThan(1e-6);
  });
});

test("any valid plan gives what its layers mean, sharded or not", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryPlan(), async (plan) => {
      expect(await worstError(plan)).toBeLessThan(1e-5);
      expect(await worstError(unshard(plan))).toBeLessThan(1e-5);
    }),
    { numRuns: 500 },
  );
});

test("a wrong weight is noticed", async () => {
  const [plan] = plans;
  const other = { ...plan!, workload: { ...plan!.workload, seed: 99 } };
  const program = lower(other);
  const observed = interpret(program).map(({ data, ...rest }) => ({
    ...rest,
    bytes: new Uint8Array(Float32Array.from(data).buffer),
  }));
  const { output } = await forward(plan!, 0, new Map());
  expect(assembleOutputs(program, observed, 0)[0]?.data).not.toEqual(output.data);
});
