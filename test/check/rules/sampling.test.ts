import { expect, test } from "vitest";
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
