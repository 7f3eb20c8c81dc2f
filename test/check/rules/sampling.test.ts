import { expect, test } from "vitest";
import { samplingOf } from "../../../src/plan/sampling.ts";
import { errorsOf, found, withDegrees } from "../../plan/checked.ts";

const serving = { mode: "serving", inputTokens: 8, outputTokens: 4 };

function sampling(how: object, model: object = { vocabulary: 96 }) {
  return withDegrees({ workload: { ...serving, sampling: how }, model });
}

test.each([{}, { temperature: 0 }, { temperature: 0.7, topK: 1 }, { temperature: 2, topK: 256 }])(
  "control: tokens may be picked with %j",
  (how) => {
    expect(errorsOf(sampling(how))).toEqual([]);
  },
);

test("what is drawn of all tokens is refused", () => {
  expect(found(sampling({ temperature: 0.01, topP: 0.9 }), "sampling-needs-top-k")).toMatchObject({
    severity: "error",
    path: ["workload", "sampling", "temperature"],
  });
});

test("tokens of a plan that has no logits are refused", () => {
  expect(found(sampling({}, {}), "sampling-needs-logits")).toMatchObject({
    severity: "error",
    path: ["workload", "sampling"],
  });
});

test("who limits what may be drawn draws, at the temperature of the logits as they are", () => {
  expect(samplingOf({})).toMatchObject({ temperature: 0 });
  expect(samplingOf({ topK: 8 })).toMatchObject({ temperature: 1, topK: 8 });
  expect(samplingOf({ topK: 8, temperature: 0 })).toMatchObject({ temperature: 0 });
  expect(found(sampling({ topK: 8, topP: 0.9 }), "sampling-needs-top-k")).toBeUndefined();
  expect(found(sampling({ topP: 0.9 }), "sampling-needs-top-k")).toMatchObject({
    severity: "error",
  });
});
