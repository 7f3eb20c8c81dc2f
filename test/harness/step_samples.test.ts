import { expect, test } from "vitest";
import { createStepSamples } from "../../src/harness/step_samples.ts";
import { atOnce } from "../../src/in_slices.ts";
import { groupKernels } from "../../src/measure/kernel_groups.ts";
import { lower } from "../../src/program/lower.ts";
import { rankTrace, span } from "../measure/synthetic.ts";
import { linear, plan } from "../support/plans.ts";

const program = lower(plan("one", 1, [[linear(4, 4, "replicated", [[0]])]]));

function stepOf(step: number, spans: number) {
  return {
    step,
    provenance: "measured" as const,
    wallMs: spans,
    ranks: [
      rankTrace(
        0,
        Array.from({ length: spans }, (_, i) => span("host", i, i + 1)),
      ),
    ],
  };
}

test.each([10, 90_000])("steps of %i spans are all looked at, once, in their order", (spans) => {
  const samples = createStepSamples(program, groupKernels(program, ["some adapter"]));
  for (let step = 0; step < 4; step++) samples.keep(stepOf(step, spans));
  expect(atOnce(samples.taken()).map(({ step, wallMs }) => [step, wallMs])).toEqual(
    [0, 1, 2, 3].map((step) => [step, spans]),
  );
  samples.keep(stepOf(4, spans));
  expect(samples.count).toBe(5);
  expect(atOnce(samples.taken()).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4]);
});

test("many steps are looked at in slices, so that signals are heard in between", () => {
  const samples = createStepSamples(program, groupKernels(program, ["some adapter"]));
  for (let step = 0; step < 100; step++) samples.keep(stepOf(step, 300));
  expect([...samples.taken()].length).toBeGreaterThanOrEqual(9);
});
