// Samples as columns: nothing is lost, and what a file claims to hold has bounds.

import fc from "fast-check";
import { expect, test } from "vitest";
import { sampleColumns, samplesFromColumns } from "../../src/result/sample_columns.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { runOf } from "../support/made_up_run.ts";
import { planOf } from "../support/given.ts";

const pipeline = await planOf("three-stage-pipeline.json");

test("what differs becomes a list, and what does not stays itself", () => {
  const samples = [
    { step: 0, ranks: [{ rank: 0, ms: 1.5 }], name: "a" },
    { step: 1, ranks: [{ rank: 0, ms: 2 }], name: "a" },
  ];
  expect(sampleColumns(samples)).toEqual([
    { step: { each: [0, 1] }, ranks: [{ rank: 0, ms: { each: [1.5, 2] } }], name: "a" },
  ]);
});

test("samples of other forms are columns of their own, in their order", () => {
  const samples = [{ a: 1 }, { a: 2 }, { a: 3, b: 1 }, { a: [] }, { a: [4] }, { a: 5 }];
  expect(sampleColumns(samples)).toHaveLength(5);
  expect(samplesFromColumns(sampleColumns(samples))).toEqual(samples);
});

test("any samples come back as they were", () => {
  const scalar = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string());
  const part = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
  const sample = fc.dictionary(fc.constantFrom("a", "b", "each", "__proto__"), part, {
    maxKeys: 3,
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 12 }), (samples) => {
      fc.pre(samples.every((each) => !Array.isArray(each["each"])));
      const kept: unknown = JSON.parse(JSON.stringify(sampleColumns(samples)));
      expect(samplesFromColumns(kept)).toEqual(JSON.parse(JSON.stringify(samples)));
    }),
  );
});

test.each([
  ["no list", {}, "no list"],
  ["lists of different lengths", [{ a: { each: [1, 2] }, b: { each: [1] } }], "different lengths"],
  [
    "more than fits into memory",
    [{ a: { each: Array(20_000).fill(1) }, b: Array(10_000).fill(0) }],
    "more than 100000000 values",
  ],
])("%s is refused", (_, columns, reason) => {
  expect(() => samplesFromColumns(columns)).toThrow(reason);
});

test("a step more of a run costs the file its numbers and nothing else", () => {
  const run = runOf(pipeline);
  const [first] = run.samples;
  if (first === undefined) throw new Error("the run has samples");
  const sizeOf = (steps: number): number => {
    const samples = Array.from({ length: steps }, (__, step) => ({
      ...first,
      step,
      wallMs: first.wallMs + step / 1000,
      ranks: first.ranks.map((rank) => ({ ...rank, idleMs: rank.idleMs + step / 1000 })),
    }));
    return textOfResult({ ...run, samples }).length;
  };
  const aStep = (sizeOf(2000) - sizeOf(1000)) / 1000;
  // Five numbers of at most ten digits differ.
  expect(aStep).toBeLessThan(5 * 12);
});
