import { describe, expect, test } from "vitest";
import { graceMs, limitOf } from "../../bench/offline/budget.ts";
import { bestOf, kernelSections } from "../../bench/offline/kernels_report.ts";
import { markdownTable } from "../../bench/offline/markdown.ts";
import { numericsSections } from "../../bench/offline/numerics_report.ts";
import type { Outcome } from "../../bench/offline/part.ts";
import { planSections } from "../../bench/offline/plans_report.ts";
import { readRecords } from "../../bench/offline/records.ts";
import { goalLines, reportLines } from "../../bench/offline/report.ts";

function lines(...records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

describe("the time of a part", () => {
  test("is its share of what is left, less what stopping may take", () => {
    const left = 100_000 + 2 * graceMs;
    expect(limitOf(left, [1, 3])).toBe(25_000);
  });

  test("grows by what an earlier part left over", () => {
    expect(limitOf(90_000, [1, 1])).toBeLessThan(limitOf(120_000, [1, 1]) ?? 0);
  });

  test("is all there is for the last", () => {
    expect(limitOf(60_000, [5])).toBe(60_000 - graceMs);
  });

  test("is a few seconds at least, while there is so much", () => {
    expect(limitOf(20_000, [1, 99])).toBe(5000);
  });

  test.each([4000, 0, -1000])("is not begun with %i ms left", (left) => {
    expect(limitOf(left, [1])).toBeUndefined();
  });

  test("adds up to no more than there is when every part takes all it may", () => {
    const weights = [15, 80, 45, 170, 30, 95, 40, 35];
    for (const all of [180_000, 30_000]) {
      let left = all;
      for (const index of weights.keys()) {
        const limit = limitOf(left, weights.slice(index));
        if (limit !== undefined) left -= limit + graceMs;
      }
      expect(left).toBeGreaterThanOrEqual(0);
    }
  });
});

test("of records that were cut off, all whole lines count", () => {
  expect(readRecords('{"a":1}\n{"a":2}\n{"a":')).toEqual([{ a: 1 }, { a: 2 }]);
});

test("a table's cells stay in their line and column", () => {
  expect(markdownTable(["a", "b"], [["x|y", "two\nlines"], ["z"]])).toEqual([
    "| a | b |",
    "| --- | --- |",
    String.raw`| x\|y | two lines |`,
    "| z |  |",
  ]);
});

test("wrong variants are named with their tiling, and what was left out is counted", () => {
  const wrong = [{ variant: "matmul_tiled", constants: { M: 3, TILE: 8 }, what: "row 1 is off" }];
  const text = numericsSections(
    lines(
      { kind: "matrix units", configurations: [] },
      { kind: "case", name: "matmul 3×3×3", variants: 4, wrong },
      { kind: "case", name: "add 1×1", variants: 1, wrong: [] },
      { kind: "left", cases: 7 },
    ),
  ).join("\n");
  expect(text).toContain("5 variants in 2 cases against f64: 1 wrong; 7 cases were left out");
  expect(text).toContain("- matmul 3×3×3: matmul_tiled TILE=8: row 1 is off");
  expect(text).toContain("Subgroup matrices: none.");
});

function variant(name: string, tuned: boolean, flopsPerSecond: number, share: number) {
  return {
    variant: { name, constants: {}, grid: [1, 1, 1] },
    tuned,
    samples: [{ wallMs: 2, cpuMs: 1, gpuMs: 1.5 }],
    flopsPerSecond,
    bytesPerSecond: 1e9,
    share,
  };
}

function kernel(name: string, ...variants: readonly object[]) {
  return {
    kind: "case",
    kernel: "matmul",
    shape: {},
    dtype: "f32",
    figures: { name, bound: "FMA", flops: 1, bytes: 1, variants },
  };
}

const timed = lines(
  kernel("matmul 4096×4096×4096", variant("a", false, 2e13, 0.4), variant("b", true, 3e13, 0.62)),
  kernel("matmul 4096×4096×4096 f16", variant("c", false, 3e14, 5)),
  { kind: "failed", name: "attention", message: "lost\nmore" },
);

test("a case shows every variant, and failures beneath", () => {
  const text = kernelSections(timed).join("\n");
  expect(text).toContain("| matmul 4096×4096×4096 | tuned: b | 1.5 | 30 | 1 | FMA | 62.0 |  |");
  expect(text).toMatch(/- attention failed: lost$/);
  expect(bestOf(timed, "matmul 4096×4096×4096")?.variant.name).toBe("b");
});

test("goals are held against what was measured, and only that", () => {
  const vendor = lines({
    kind: "rate",
    library: "x",
    size: 4096,
    samplesMs: [1],
    repeats: 1,
    flopsPerSecond: 6e14,
  });
  expect(goalLines(timed, vendor).join("\n")).toMatch(/62\.0 % .*\n.*300 TFLOP\/s, 50\.0 %/);
  expect(goalLines(timed, "")[1]).toContain("the vendor's library not measured");
  expect(goalLines("", vendor).every((line) => line.includes("not measured"))).toBe(true);
});

test("a plan's ratio is taken within rounds, and runs that failed are named", () => {
  const run = (way: string, round: number, stepMs: number) => ({
    plan: "p",
    way,
    round,
    stepMs,
  });
  const text = planSections(
    lines(
      run("untuned", 1, 30),
      run("tuned", 1, 10),
      run("untuned", 2, 20),
      run("tuned", 2, 20),
      run("untuned", 3, 40),
      { plan: "p", way: "tuned", round: 3, failure: "exit code 2" },
    ),
  ).join("\n");
  expect(text).toContain("| p | 25 | 15 | 2 | 2.00× | 1.00× … 3.00× |");
  expect(text).toContain("- p, tuned, round 3: exit code 2");
});

test("the report has every part's outcome and what it printed, also of those that failed", () => {
  const outcome = (name: string, rest: Partial<Outcome>): Outcome => ({
    name,
    title: name.toUpperCase(),
    state: "done",
    seconds: 1,
    limitSeconds: 2,
    ...rest,
  });
  const parts = [
    ...["one", "two"].map((name) => ({ name, sections: (text: string) => [text] })),
    {
      name: "three",
      sections: () => {
        throw new Error("half a list");
      },
    },
  ];
  const text = reportLines(
    { adapter: "gpu0", date: "today", minutes: 1, machine: "m" },
    parts,
    [
      outcome("one", { state: "failed", reason: "it crashed" }),
      outcome("two", {}),
      outcome("three", {}),
    ],
    new Map([
      ["one", "half of it"],
      ["two", "all of it"],
      ["three", "["],
    ]),
  ).join("\n");
  expect(text).toContain("| ONE | failed | 1.0 | 2 | it crashed |");
  expect(text).toMatch(/## ONE\n\nhalf of it\n\n## TWO\n\nall of it/);
  expect(text).toContain("## THREE\n\nWhat it printed cannot be shown: Error: half a list");
});
