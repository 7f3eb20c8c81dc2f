// Whatever a file holds, the check ends in diagnostics or a plan: it does not throw, and costs no more than so many
// checks of a small plan, on the same machine at the same time.

import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkPlan, hasErrors } from "../../src/check/check_plan.ts";
import { type LoadResult, parsePlan, readPlan } from "../../src/plan/load.ts";
import { repairPlan } from "../../src/check/repair.ts";
import { maxNesting, maxPlanCharacters } from "../../src/plan/syntax.ts";
import { degreesPlan, linear, stagesPlan } from "./checked.ts";

/** Small plans that are checked at the cost of one text; the dearest of these here costs 2,500. */
const mostUnits = 10_000;

/** What `work` costs this process, in ms of processor time. */
function costMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function checkAll({ plan, document, diagnostics }: LoadResult) {
  return plan === undefined ? diagnostics : [...diagnostics, ...checkPlan(plan, document)];
}

/** The least of so many times: whatever else the machine does only adds to it. */
function leastMs(tries: number, work: () => unknown): number {
  return Math.min(...Array.from({ length: tries }, () => costMs(work)));
}

/** What checking a small plan costs, ms of processor time. */
function unitMs(): number {
  const text = JSON.stringify(degreesPlan);
  return leastMs(9, () => checkAll(parsePlan(text, "p.json")));
}
const firstUnitMs = unitMs();

/** In units. What seems too much is taken again, with the unit of that moment. */
function unitsOf(work: () => unknown): number {
  const units = costMs(work) / firstUnitMs;
  return units < mostUnits ? units : leastMs(3, work) / unitMs();
}

const fine = "ended in time, with a plan or with errors";

/** What became of a text. */
function fate(text: string, file: string): string {
  let isNothing = false;
  const units = unitsOf(() => {
    const loaded = parsePlan(text, file);
    const said = checkAll(loaded);
    isNothing = loaded.plan === undefined && !hasErrors(said);
  });
  if (isNothing) return "no plan and no error";
  return units < mostUnits ? fine : `costs as much as ${units} small plans`;
}

const files = fc.constantFrom("plan.json", "plan.yaml");

test("arbitrary JSON", () =>
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), files, (value, file) => {
      expect(fate(JSON.stringify(value), file)).toBe(fine);
    }),
    { numRuns: 300 },
  ));

test("arbitrary text, odd Unicode included", () =>
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), files, (text, file) => {
      expect(fate(text, file)).toBe(fine);
    }),
    {
      numRuns: 500,
    },
  ));

const yamlWord = fc.constantFrom(
  ..."name: - [ ] { } & * ! | > ' \" # % @ ` , ? : --- ... <<: &a *a !!map ~ .nan 0x7 1e999 \u0000 \ufeff \u2028 \ud800".split(
    " ",
  ),
  "\n",
  "  ",
  "\t",
  "gpus",
  "stages:",
);

test("scraps of YAML", () =>
  fc.assert(
    fc.property(fc.array(yamlWord, { maxLength: 60 }), (words) => {
      expect(fate(words.join(" "), "plan.yaml")).toBe(fine);
    }),
    { numRuns: 500 },
  ));

const sound = [degreesPlan, stagesPlan].map((plan) => JSON.stringify(plan, undefined, 1));

test("sound plans with characters lost, doubled and exchanged", () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...sound),
      fc.array(fc.tuple(fc.nat(), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 5 }),
      files,
      (text, edits, file) => {
        let mutated = text;
        for (const [at, by] of edits) {
          const place = at % mutated.length;
          mutated = mutated.slice(0, place) + by + mutated.slice(place + 1);
        }
        expect(fate(mutated, file)).toBe(fine);
      },
    ),
    { numRuns: 500 },
  ));

const numbers = [
  "1e308",
  "-1e308",
  "1e999",
  "9007199254740993",
  "2147483647",
  "2147483648",
  "0",
  "-0",
  "1e-320",
  "65536",
  "1000000",
];

test("huge and tiny numbers in every place", () => {
  for (const text of sound) {
    for (const { index, 0: found } of text.matchAll(/\d+/g)) {
      for (const number of numbers) {
        expect(
          fate(text.slice(0, index) + number + text.slice(index + found.length), "p.json"),
        ).toBe(fine);
      }
    }
  }
});

test.each([maxNesting - 2, maxNesting, maxNesting + 1, 10_000, 100_000])(
  "%i levels deep",
  (depth) => {
    expect(fate("[".repeat(depth) + "]".repeat(depth), "p.json")).toBe(fine);
    expect(fate('{"a":'.repeat(depth) + "1" + "}".repeat(depth), "p.json")).toBe(fine);
    expect(fate("- ".repeat(depth), "p.yaml")).toBe(fine);
    expect(fate("? ".repeat(depth), "p.yaml")).toBe(fine);
    expect(fate("[".repeat(depth), "p.yaml")).toBe(fine);
  },
);

function fill(line: (i: number) => string): string {
  const lines: string[] = [];
  for (let i = 0, size = 0; size < maxPlanCharacters - 200; i++) {
    const next = line(i);
    lines.push(next);
    size += next.length + 1;
  }
  return lines.join("\n");
}
function withStages(layers: readonly unknown[], gpus = 4): string {
  return JSON.stringify({
    name: "x",
    hardware: { gpus },
    workload: { batch: 1 },
    stages: [{ name: "a", layers }],
  });
}
function times<T>(count: number, of: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => of(i));
}
const first = linear(4, 4, { kind: "replicated", gpus: [0] });

test.each<readonly [string, string]>([
  ["one key after another", fill((i) => `k${i}: 1`)],
  ["one key over and over", fill(() => "a: 1")],
  ["a list of numbers", fill(() => "- 1")],
  ["a list of anchors", fill((i) => `- &a${i} 1`)],
  ["a list of aliases", `- &a 1\n${fill(() => "- *a")}`],
  ["prose", fill(() => "lorem ipsum dolor sit amet")],
  ["broken lines", fill(() => "a: b: c")],
  ["quotes", fill(() => "'\"'\"")],
  ["a comment", fill(() => "# nothing")],
  ["one long name", `name: ${"x".repeat(maxPlanCharacters - 100)}`],
  [
    "thousands of layers",
    withStages([first, ...times(4500, () => ({ op: "residual", hidden: 4, from: 0 }))]),
  ],
  [
    "thousands of faulty layers",
    withStages(times(2000, () => linear(4, 5, { kind: "replicated", gpus: [9] }))),
  ],
  [
    "thousands of GPUs",
    withStages([linear(4, 4, { kind: "column", gpus: times(30_000, (i) => i) })], 65_536),
  ],
  [
    "one GPU, thousands of times",
    withStages([linear(4, 4, { kind: "column", gpus: times(60_000, () => 0) })]),
  ],
])("a file of the largest size: %s", (_, text) => {
  expect(text.length).toBeLessThanOrEqual(maxPlanCharacters);
  expect(fate(text, "plan.yaml")).toBe(fine);
});

test("the deepest model, with claims about it", () => {
  const { model, ...rest } = degreesPlan;
  const claims = { latencyPerLayerMs: 8.5, samplesPerSecond: 312, gpuUtilization: 0.95 };
  const deep = { ...rest, model: { ...model, layers: 10_000 }, claims };
  expect(fate(JSON.stringify(deep), "p.json")).toBe(fine);
});

test("brackets within a string of JSON are no nesting", () => {
  const named = (name: string) =>
    parsePlan(JSON.stringify({ ...degreesPlan, name }), "p.json").diagnostics;
  expect(named("[".repeat(maxNesting + 1))).toEqual([]);
  expect(named(`\\"${"{".repeat(maxNesting + 1)}`)).toEqual([]);
});

test("a mesh of the largest size", () => {
  for (const parallel of [
    { data: 65_536 },
    { tensor: 65_536 },
    { pipeline: 65_536 },
    { tensor: 256, pipeline: 16, data: 16 },
  ]) {
    const model = { layers: 128, hidden: 65_536, heads: 256 };
    expect(
      fate(
        JSON.stringify({
          name: "x",
          hardware: { gpus: 65_536 },
          workload: { batch: 65_536, microBatches: 16 },
          model,
          parallel,
        }),
        "p.json",
      ),
    ).toBe(fine);
  }
});

function largePlan(data: number): string {
  return JSON.stringify({
    name: "large",
    hardware: { gpus: 128 * data, memoryPerGpu: "80GB" },
    workload: { batch: 128 * data, microBatches: 32, sequence: 4096, dtype: "f16" },
    model: {
      layers: 64,
      hidden: 8192,
      heads: 64,
      kvHeads: 8,
      ffn: 28_672,
      gated: true,
      vocabulary: 128_000,
    },
    parallel: { tensor: 8, pipeline: 16, data },
    claims: { gpuUtilization: 0.6, computeUtilization: 0.4, memoryUtilization: 0.5 },
  });
}

test("the cost of a check does not grow faster than ranks do, up to 4,096", () => {
  const check = (data: number) => checkAll(parsePlan(largePlan(data), "p.json"));
  expect(check(32).filter(({ severity }) => severity === "error")).toEqual([]);
  const [few, many] = [leastMs(3, () => check(2)), leastMs(3, () => check(32))];
  // Sixteen times as many ranks, with room for noise; a cost in their square would be 256 times.
  expect(many / few).toBeLessThan(64);
});

test("a file of 50 MB is refused unread, one of just too many characters is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plan-fuzz-"));
  try {
    const huge = join(folder, "huge.json");
    await writeFile(huge, "");
    await truncate(huge, 50_000_000);
    const full = join(folder, "full.json");
    await writeFile(full, `[${"1,".repeat(25_000_000)}1]`);
    for (const file of [huge, full]) {
      const { diagnostics } = await readPlan(file);
      expect(diagnostics.map(({ code }) => code)).toEqual(["file-too-large"]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(fate("x".repeat(maxPlanCharacters + 1), "p.yaml")).toBe(fine);
});

test("repair ends, whatever is to be repaired", () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...sound),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...numbers, "7", "3", "[0]", '"x"')), {
        minLength: 1,
        maxLength: 4,
      }),
      (text, edits) => {
        let mutated = text;
        for (const [at, by] of edits) {
          const found = [...mutated.matchAll(/\d+/g)];
          const match = found[at % found.length];
          if (match === undefined) continue;
          mutated =
            mutated.slice(0, match.index) + by + mutated.slice(match.index + match[0].length);
        }
        const { document } = parsePlan(mutated, "p.json");
        let result: ReturnType<typeof repairPlan>;
        const units = unitsOf(() => {
          result = repairPlan(document);
        });
        const after = result === undefined ? [] : checkAll(parsePlan(result.text, "p.json"));
        expect(hasErrors(after)).toBe(false);
        expect(units).toBeLessThan(mostUnits);
      },
    ),
    { numRuns: 100 },
  ));
