// Gradients as ranks show them: every element has to be there, and be right.

import { expect, test } from "vitest";
import { assembleGradients, compareGradients, notShown } from "../../src/harness/gradients.ts";
import type { RegionContent } from "../../src/program/content.ts";
import type { ObservedBuffer } from "../../src/runtime/observation.ts";

/** Columns [first, first + 3) of a weight [2, 6] whose gradient is 0, 1, 2, … */
function shownFrom(first: number, change = 0): ObservedBuffer {
  const content: RegionContent = {
    kind: "uniform",
    tensor: "w",
    center: 0,
    scale: 1,
    shape: [2, 6],
    offset: [0, first],
    size: [2, 3],
  };
  const rows = [0, 6].map((start) => [first, first + 1, first + 2].map((c) => start + c + change));
  const padded = Float32Array.from(rows.flatMap((row) => [...row, 0]));
  return {
    layer: "stage/0.linear",
    microBatch: 0,
    observation: { kind: "gradient", content, shape: [2, 3] },
    bytes: new Uint8Array(padded.buffer),
  };
}

const expected = new Map([
  ["w", { shape: [2, 6], data: Float64Array.from({ length: 12 }, (_, i) => i) }],
]);

test("both halves are the whole", () => {
  const observed = [shownFrom(0), shownFrom(3)];
  expect(assembleGradients(observed)).toEqual(expected);
  expect(compareGradients(observed, expected, 1)).toEqual({ error: 0, weight: "", values: 12 });
  expect(notShown(observed, expected)).toBeUndefined();
});

test("half of a weight, or none, is not all of it", () => {
  expect(notShown([shownFrom(3)], expected)).toBe("w");
  expect(notShown([], expected)).toBe("w");
});

test("a wrong element is found, whichever rank has it, and so is one that is no number", () => {
  const observed = [shownFrom(0), shownFrom(3, 1)];
  expect(compareGradients(observed, expected, 1)).toMatchObject({ error: 1 / 11, weight: "w" });
  expect(compareGradients([shownFrom(0, Number.NaN)], expected, 1).error).toBeNaN();
});
