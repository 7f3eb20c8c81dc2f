// Whatever a file holds, the check ends in diagnostics or a plan: it does not throw, and does not take more
// than two seconds of this process's own time, whatever else the machine is doing.

import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkPlan, hasErrors } from "../../src/plan/check.ts";
import { type LoadResult, parsePlan, readPlan } from "../../src/plan/load.ts";
import { repairPlan } from "../../src/plan/repair.ts";
import { maxNesting, maxPlanCharacters } from "../../src/plan/syntax.ts";
import { degreesPlan, linear, stagesPlan } from "./checked.ts";

const limitMs = 2000;

/** What `work` costs this process, in ms of processor time. */
const cost = async <T>(work: () => T | Promise<T>): Promise<{ result: T; ms: number }> => {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1000 };
};

const checkAll = ({ plan, document, diagnostics }: LoadResult) =>
  plan === undefined ? diagnostics : [...diagnostics, ...checkPlan(plan, document)];

const fine = "ended in time, with a plan or with errors";

/** What became of a text. */
const fate = async (text: string, file: string): Promise<string> => {
  const { result, ms } = await cost(() => {
    const loaded = parsePlan(text, file);
    return { loaded, said: checkAll(loaded) };
  });
  if (result.loaded.plan === undefined && !hasErrors(result.said)) return "no plan and no error";
  return ms < limitMs ? fine : `took ${ms} ms`;
};

const files = fc.constantFrom("plan.json", "plan.yaml");

test("arbitrary JSON", () =>
  fc.assert(
    fc.asyncProperty(
      fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }),
      files,
      async (value, file) => {
        expect(await fate(JSON.stringify(value), file)).toBe(fine);
      },
    ),
    { numRuns: 300 },
  ));

test("arbitrary text, odd Unicode included", () =>
  fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 400 }), files, async (text, file) => {
      expect(await fate(text, file)).toBe(fine);
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
    fc.asyncProperty(fc.array(yamlWord, { maxLength: 60 }), async (words) => {
      expect(await fate(words.join(" "), "plan.yaml")).toBe(fine);
    }),
    { numRuns: 500 },
  ));

const sound = [degreesPlan, stagesPlan].map((plan) => JSON.stringify(plan, undefined, 1));

test("sound plans with characters lost, doubled and exchanged", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sound),
      fc.array(fc.tuple(fc.nat(), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 5 }),
      files,
      async (text, edits, file) => {
        let mutated = text;
        for (const [at, by] of edits) {
          const place = at % mutated.length;
          mutated = mutated.slice(0, place) + by + mutated.slice(place + 1);
        }
        expect(await fate(mutated, file)).toBe(fine);
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

test("huge and tiny numbers in every place", async () => {
  for (const text of sound) {
    for (const { index, 0: found } of text.matchAll(/\d+/g)) {
      for (const number of numbers) {
        expect(
          await fate(text.slice(0, index) + number + text.slice(index + found.length), "p.json"),
        ).toBe(fine);
      }
    }
  }
});

test.each([maxNesting - 2, maxNesting, maxNesting + 1, 10_000, 100_000])(
  "%i levels deep",
  async (depth) => {
    expect(await fate("[".repeat(depth) + "]".repeat(depth), "p.json")).toBe(fine);
    expect(await fate('{"a":'.repeat(depth) + "1" + "}".repeat(depth), "p.json")).toBe(fine);
    expect(await fate("- ".repeat(depth), "p.yaml")).toBe(fine);
    expect(await fate("? ".repeat(depth), "p.yaml")).toBe(fine);
    expect(await fate("[".repeat(depth), "p.yaml")).toBe(fine);
  },
);

const fill = (line: (i: number) => string): string => {
  const lines: string[] = [];
  for (let i = 0, size = 0; size < maxPlanCharacters - 200; i++) {
    const next = line(i);
    lines.push(next);
    size += next.length + 1;
  }
  return lines.join("\n");
};
const withStages = (layers: readonly unknown[], gpus = 4): string =>
  JSON.stringify({
    name: "x",
    hardware: { gpus },
    workload: { batch: 1 },
    stages: [{ name: "a", layers }],
  });
const times = <T>(count: number, of: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => of(i));
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
])("a file of the largest size: %s", async (_, text) => {
  expect(text.length).toBeLessThanOrEqual(maxPlanCharacters);
  expect(await fate(text, "plan.yaml")).toBe(fine);
});

test("a mesh of the largest size", async () => {
  for (const parallel of [
    { data: 65_536 },
    { tensor: 65_536 },
    { pipeline: 65_536 },
    { tensor: 256, pipeline: 16, data: 16 },
  ]) {
    const model = { layers: 128, hidden: 65_536, heads: 256 };
    expect(
      await fate(
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

test("4,096 ranks in less than a second", async () => {
  const text = JSON.stringify({
    name: "large",
    hardware: { gpus: 4096, memoryPerGpu: "80GB" },
    workload: { batch: 4096, microBatches: 32, sequence: 4096, dtype: "f16" },
    model: {
      layers: 64,
      hidden: 8192,
      heads: 64,
      kvHeads: 8,
      ffn: 28_672,
      gated: true,
      vocabulary: 128_000,
    },
    parallel: { tensor: 8, pipeline: 16, data: 32 },
    claims: { gpuUtilization: 0.6, computeUtilization: 0.4, memoryUtilization: 0.5 },
  });
  const { result, ms } = await cost(() => checkAll(parsePlan(text, "p.json")));
  expect(result.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(ms).toBeLessThan(1000);
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
      const { result, ms } = await cost(() => readPlan(file));
      expect(result.diagnostics.map(({ code }) => code)).toEqual(["file-too-large"]);
      expect(ms).toBeLessThan(limitMs);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(await fate("x".repeat(maxPlanCharacters + 1), "p.yaml")).toBe(fine);
});

test("repair ends, whatever is to be repaired", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sound),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...numbers, "7", "3", "[0]", '"x"')), {
        minLength: 1,
        maxLength: 4,
      }),
      async (text, edits) => {
        let mutated = text;
        for (const [at, by] of edits) {
          const found = [...mutated.matchAll(/\d+/g)];
          const match = found[at % found.length];
          if (match === undefined) continue;
          mutated =
            mutated.slice(0, match.index) + by + mutated.slice(match.index + match[0].length);
        }
        const { document } = parsePlan(mutated, "p.json");
        const { result, ms } = await cost(() => repairPlan(document));
        const after = result === undefined ? [] : checkAll(parsePlan(result.text, "p.json"));
        expect(hasErrors(after)).toBe(false);
        expect(ms).toBeLessThan(2 * limitMs);
      },
    ),
    { numRuns: 100 },
  ));
