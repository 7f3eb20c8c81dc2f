// Every collective as `shardbench collectives` runs it, with every element looked at.

import { expect, test } from "vitest";
import { benchCollectives } from "../../src/harness/bench_collectives.ts";
import { createCollectiveCheck } from "../../src/harness/check_collective.ts";
import { benchedCollectives } from "../../src/program/collective_program.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../support/gpu.ts";

describeOnOneAdapter("the bench of collectives", () => {
  const adapter = adapterUnderTest();

  test.each(benchedCollectives)("%s gives every element, in and out of place", async (op) => {
    const dtype = op === "all-gather" || op === "reduce-scatter" ? "f16" : "f32";
    const { rows, link } = await benchCollectives({
      op,
      ranks: 3,
      dtype,
      minBytes: 8,
      maxBytes: 6000,
      factor: 700,
      adapter,
      budgetMs: 1,
      check: true,
    });
    expect(rows).toHaveLength(2);
    for (const { outOfPlace, inPlace, bytes } of rows) {
      expect(outOfPlace.wrong).toBe(0);
      expect(inPlace?.wrong ?? 0).toBe(0);
      expect(outOfPlace.algorithmBandwidth).toBeCloseTo((bytes * 1000) / outOfPlace.ms, 3);
      const { split, ms } = outOfPlace;
      const sum = Object.values(split).reduce((total, part) => total + part, 0);
      // Means of parts against the median of times.
      expect(sum).toBeGreaterThan(ms / 3);
    }
    expect(link?.latencyMs).toBeGreaterThanOrEqual(0);
  });
});

test("a wrong element is counted", () => {
  const wrongOn = createCollectiveCheck(
    { op: "broadcast", ranks: 2, dtype: "f32", count: 8, place: "out-of-place" },
    1,
  );
  expect(wrongOn(1, new Uint8Array(32))).toBe(8);
});
