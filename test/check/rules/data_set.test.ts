// What is said of a data set that no step could read as it is meant.

import { expect, test } from "vitest";
import { errorsOf, found, withDegrees } from "../../plan/checked.ts";

function reading(data: object, vocabulary: number) {
  return withDegrees({ workload: { mode: "training", data }, model: { vocabulary } });
}

test.each([
  [{ path: "ids.bin" }, 2 ** 16],
  [{ path: "ids.bin", dtype: "uint32" }, 2 ** 17],
  [{ dtype: "uint32" }, 2 ** 17],
])("control: steps may read %j of a vocabulary of %i", (data, vocabulary) => {
  expect(errorsOf(reading(data, vocabulary))).toEqual([]);
});

test.each([{}, { path: "ids.bin" }])("no id of two bytes is past 65,535: %j", (data) => {
  expect(found(reading(data, 2 ** 16 + 2), "data-set-misfit")).toMatchObject({
    severity: "error",
    path: ["workload", "data", "dtype"],
  });
});
