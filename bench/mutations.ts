// A million plans, 100,000 scripts and 100,000 result files that something went wrong with: whether any is met by a
// fault of the program, and how long the slowest takes. SHARDBENCH_MUTATIONS sets how many plans; a tenth as many are
// scripts, and as many results.

import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type RandomSource, seededRandom } from "../src/seeded_random.ts";
import { plain } from "../src/report/render/color.ts";
import { textOfResult } from "../src/result/result_text.ts";
import { renderTable } from "../src/report/render/table.ts";
import { configOf } from "../test/import/imported.ts";
import { planOf } from "../test/support/given.ts";
import { runOf } from "../test/support/made_up_run.ts";
import { checkMutated, mutatedPlan } from "../test/support/mutate_plan.ts";
import { mutatedResult } from "../test/support/mutate_result.ts";
import { importMutated, mutatedScript, scripts } from "../test/support/mutate_script.ts";
import { type End, readMutated } from "../test/support/read_mutated.ts";

const plans = Number(process.env["SHARDBENCH_MUTATIONS"] ?? 1_000_000);
/** Another one mutates in other places. */
const seed = Number(process.env["SHARDBENCH_MUTATIONS_SEED"] ?? 20);
const tenth = Math.ceil(plans / 10);
/** An input of these sizes takes milliseconds; what takes as long is hung. */
const hungMs = 10_000;

interface Case {
  readonly mutate: (random: RandomSource) => string;
  readonly judge: (text: string) => End;
}

const configs = [
  "three-stage-pipeline.json",
  "moe-ep3-tp2.json",
  "moe-ep3-tp2.original.json",
  "smoke/moe-ep2.yaml",
  "smoke/dense-tp2.yaml",
  "smoke/pipeline-1f1b.yaml",
];

function planCases(): Promise<Case[]> {
  return Promise.all(
    configs.map(async (name) => {
      const text = JSON.stringify(parse(await readFile(`configs/${name}`, "utf8")));
      return { mutate: (random) => mutatedPlan(text, random), judge: checkMutated };
    }),
  );
}

async function scriptCases(): Promise<Case[]> {
  const config = { ...(await configOf("llama-3-8b")), role: "model" as const };
  return scripts.map((script) => ({
    mutate: (random) => mutatedScript(script, random),
    judge: (text) => importMutated([config, { name: "job.sh", text }]),
  }));
}

function resultCases(): Promise<Case[]> {
  return Promise.all(
    ["three-stage-pipeline.json", "smoke/moe-ep2.yaml", "smoke/pipeline-1f1b.yaml"].map(
      async (name) => {
        const plan = await planOf(name);
        const text = textOfResult(runOf(plan));
        return {
          mutate: (random) => mutatedResult(text, random),
          judge: (mutated) => readMutated(mutated, plan),
        };
      },
    ),
  );
}

async function residentMb(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1000;
}

const rows: string[][] = [];

test.each([
  ["plans", plans, planCases],
  ["scripts", tenth, scriptCases],
  ["results", tenth, resultCases],
] as const)(
  "mutated %s",
  async (what, count, make) => {
    const random = seededRandom(seed);
    const cases = await make();
    /** With the text that each was met by. */
    const faults: string[] = [];
    const hung: string[] = [];
    let [accepted, refused, slowestMs] = [0, 0, 0];
    const started = performance.now();
    for (let each = 0; each < count; each += 1) {
      const chosen = cases[each % cases.length];
      if (chosen === undefined) throw new Error("there are no cases");
      const text = chosen.mutate(random);
      const begin = performance.now();
      const { fault, refusal } = chosen.judge(text);
      const tookMs = performance.now() - begin;
      slowestMs = Math.max(slowestMs, tookMs);
      if (tookMs > hungMs) hung.push(text);
      if (fault !== undefined) faults.push(`${fault}\n${text}`);
      else if (refusal === undefined) accepted += 1;
      else refused += 1;
    }
    const seconds = (performance.now() - started) / 1000;
    rows.push([
      what,
      ...[count, refused, accepted, faults.length, hung.length].map(String),
      `${slowestMs.toFixed(0)} ms`,
      `${seconds.toFixed(0)} s`,
      `${(await residentMb()).toFixed(0)} MB`,
    ]);
    expect(faults.slice(0, 3)).toEqual([]);
    expect(hung.slice(0, 3)).toEqual([]);
  },
  4 * 3600_000,
);

afterAll(() => {
  const columns = [
    "mutated",
    "",
    "refused",
    "accepted",
    "exceptions",
    "hung",
    "slowest",
    "in all",
    "at most",
  ];
  const lines = renderTable(
    columns.map((title, i) => ({ title, ...(i === 0 ? { align: "left" as const } : {}) })),
    rows.map((cells) => ({ cells })),
    plain,
  );
  process.stdout.write(`\n${lines.join("\n")}\n`);
});
