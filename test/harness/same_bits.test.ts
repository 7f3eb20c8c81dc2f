import { expect, test } from "vitest";
import { hasSameBits } from "../../src/harness/same_bits.ts";
import type { ObservedBuffer } from "../../src/runtime/observation.ts";

function shown(microBatch: number, ...bytes: number[]): ObservedBuffer {
  return {
    layer: "a",
    microBatch,
    observation: { kind: "output", rowOffset: 0, rows: 1, columnOffset: 0, columns: 1, copy: 0 },
    bytes: Uint8Array.from(bytes),
  };
}

test("control: the same bits of the same buffers", () => {
  expect(hasSameBits([shown(0, 1, 2), shown(1, 3)], [shown(0, 1, 2), shown(1, 3)])).toBe(true);
});

test.each([
  ["one bit", [shown(0, 1, 2), shown(1, 2)]],
  ["a length", [shown(0, 1, 2), shown(1, 3, 0)]],
  ["another micro-batch", [shown(0, 1, 2), shown(2, 3)]],
  ["a missing buffer", [shown(0, 1, 2)]],
])("%s makes the difference", (_, other) => {
  expect(hasSameBits([shown(0, 1, 2), shown(1, 3)], other)).toBe(false);
});
