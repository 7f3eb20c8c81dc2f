import fc from "fast-check";
import { expect, test } from "vitest";
import { sumFloats } from "../../../src/collectives/host_sums/sum_floats.ts";

/** One after the other, each sum rounded to f32. */
function summed(summands: readonly Float32Array[]): Float32Array {
  return Float32Array.from(summands[0] ?? [], (_, e) =>
    summands
      .slice(1)
      .reduce((sum, values) => Math.fround(sum + (values[e] ?? 0)), summands[0]?.[e] ?? 0),
  );
}

test("sums have the bits of adding in order, wherever they are put", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 5 }),
      fc.constantFrom(1, 3, 4, 4095, 4096, 4097, 9001),
      fc.integer({ min: -1, max: 4 }),
      fc.integer(),
      (count, length, place, seed) => {
        const summands = Array.from({ length: count }, (_, member) =>
          Float32Array.from({ length }, (_zero, e) =>
            Math.fround(Math.sin(seed + 31 * member + e) * 10 ** (e % 7)),
          ),
        );
        const expected = summed(summands);
        const target = summands[place] ?? new Float32Array(length);
        sumFloats(target, summands);
        expect(new Uint32Array(target.buffer)).toEqual(new Uint32Array(expected.buffer));
      },
    ),
  );
});

test("a sum of one is refused", () => {
  expect(() => sumFloats(new Float32Array(1), [new Float32Array(1)])).toThrow(RangeError);
});
