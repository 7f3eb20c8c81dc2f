import { expect, test } from "vitest";
import { editDistance, suggest } from "../../src/plan/suggestion.ts";

test.each([
  ["", "", 0],
  ["gpus", "gpus", 0],
  ["gpu", "gpus", 1],
  ["gpsu", "gpus", 1],
  ["abc", "", 3],
  ["kitten", "sitting", 3],
])("from %j to %j are %i edits", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test("the nearest word is suggested, whatever its case and separators", () => {
  expect(suggest("memory_per_gpu", ["memoryPerGpu", "gpus"])).toBe("memoryPerGpu");
  expect(suggest("all-redcue", ["all-gather", "all-reduce"])).toBe("all-reduce");
});

test("a word far from all is not guessed at", () => {
  expect(suggest("banana", ["gpus", "batch"])).toBeUndefined();
  expect(suggest("anything", [])).toBeUndefined();
  expect(suggest("x".repeat(100_000), ["gpus"])).toBeUndefined();
});
