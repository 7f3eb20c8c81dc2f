import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  intersect,
  lengthOf,
  merge,
  subtract,
  type TimeRange,
} from "../../src/measure/intervals.ts";

test("intervals that touch or overlap become one", () => {
  expect(
    merge([
      [4, 5],
      [0, 2],
      [1, 3],
      [5, 6],
    ]),
  ).toEqual([
    [0, 3],
    [4, 6],
  ]);
});

test("empty and inverted intervals vanish", () => {
  expect(
    merge([
      [1, 1],
      [3, 2],
    ]),
  ).toEqual([]);
});

test("an interval within another leaves the two ends", () => {
  expect(subtract([[0, 10]], [[3, 4]])).toEqual([
    [0, 3],
    [4, 10],
  ]);
});

test("one long interval is taken from several", () => {
  expect(
    subtract(
      [
        [0, 2],
        [3, 5],
        [6, 9],
      ],
      [[1, 7]],
    ),
  ).toEqual([
    [0, 1],
    [7, 9],
  ]);
});

const times = fc
  .array(fc.tuple(fc.nat(30), fc.nat(30)))
  .map((pairs) => merge(pairs.map(([a, b]): TimeRange => [Math.min(a, b), Math.max(a, b)])));

test("whatever the intervals: what is taken away and what is left add up", () => {
  fc.assert(
    fc.property(times, times, (from, taken) => {
      const left = lengthOf(subtract(from, taken));
      expect(left + lengthOf(intersect(from, taken))).toBe(lengthOf(from));
      expect(lengthOf(intersect(subtract(from, taken), taken))).toBe(0);
    }),
  );
});
