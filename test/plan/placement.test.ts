import { expect, test } from "vitest";
import { type PlacementKind, redistributionOf } from "../../src/plan/placement.ts";

test.each<[PlacementKind, PlacementKind, string | undefined]>([
  ["partial", "replicate", "all-reduce"],
  ["partial", "rows", "reduce-scatter"],
  ["columns", "replicate", "all-gather"],
  ["columns", "rows", "all-to-all"],
  ["rows", "replicate", "all-gather"],
  ["rows", "columns", undefined],
  ["replicate", "replicate", undefined],
  ["replicate", "partial", undefined],
])("from %s to %s: %s", (from, to, collective) => {
  expect(redistributionOf(from, to)).toBe(collective);
});
