// Do verdicts hold? Twelve equal runs, with and without load beside them. How often does an interval miss the median
// of all runs, and how often is a claim at that median decided, which it must not be: half of all runs would refute
// what the other half confirms. Judged by the function that judges claims on hardware. By single runs, as `run` does
// them, and by three in a row, as `compare` does. SHARDBENCH_VERDICTS_RUNS sets how many; default 12.
//
// Load comes and goes: a process per core that computes for a while and sleeps for a while.

import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { runPlan } from "../src/harness/run_plan.ts";
import type { Figure } from "../src/measure/figure.ts";
import type { Metrics } from "../src/measure/metrics.ts";
import { standingOf } from "../src/measure/standing.ts";
import { median } from "../src/measure/statistics.ts";
import { lower } from "../src/program/lower.ts";
import type { RunResult } from "../src/result/result.ts";
import { plain } from "../src/report/render/color.ts";
import { renderTable } from "../src/report/render/table.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan as planOf } from "../test/support/plans.ts";
import { runsOf } from "./runs_of.ts";

const runs = Number(process.env["SHARDBENCH_VERDICTS_RUNS"] ?? 12);
const budgetMs = 1500;

const plan = planOf(
  "verdicts",
  2,
  [[linear(512, 512, "column", [[0, 1]])], [linear(512, 512, "row", [[0, 1]])]],
  {
    workload: { batch: 128, microBatches: 2, sequence: 1 },
  },
);

/** Above the claim is kept, or below it. */
const claims = [
  ["samples per second", (metrics: Metrics) => metrics.samplesPerSecond, "at least"],
  ["step", (metrics: Metrics) => metrics.stepMs, "at most"],
  ["busy", (metrics: Metrics) => metrics.busy, "at least"],
  ["MFU", (metrics: Metrics) => metrics.mfu, "at least"],
] as const;

const computing = `
  const until = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
  const turn = () => { until(100 + 1400 * Math.random()); setTimeout(turn, 1500 * Math.random()); };
  turn();`;

/** A process per core whose parent is gone: what descends from this process counts as the run's own. */
function startLoad(): number[] {
  return Array.from({ length: availableParallelism() }, () =>
    Number(
      execFileSync("sh", [
        "-c",
        '"$0" -e "$1" >/dev/null 2>&1 & echo $!',
        process.execPath,
        computing,
      ]),
    ),
  );
}

interface Count {
  readonly what: string;
  readonly judged: number;
  /** Relative to the median of all: how wide, and how far runs lie apart. */
  readonly width: number;
  readonly spread: number;
  readonly missed: number;
  readonly decided: number;
}

function count(whole: RunResult, each: number): Count[] {
  const program = lower(plan);
  const parts = Array.from({ length: runs - each + 1 }, (_, first) =>
    runsOf(plan, program, whole, first, each),
  );
  const single = Array.from({ length: runs }, (_, run) => runsOf(plan, program, whole, run, 1));
  return claims.map(([what, found, promise]) => {
    const values = single.map(({ metrics }) => found(metrics)?.value ?? Number.NaN);
    const center = median(values);
    const figures = parts.flatMap((part) => {
      const figure = found(part.metrics);
      return figure?.interval === undefined
        ? []
        : [{ part, figure: { ...figure, interval: figure.interval } }];
    });
    const misses = ({ interval: [low, high] }: { interval: NonNullable<Figure["interval"]> }) =>
      center < low || center > high;
    return {
      what,
      judged: figures.length,
      width: median(
        figures.map(({ figure: { interval } }) => (interval[1] - interval[0]) / center),
      ),
      spread: (Math.max(...values) - Math.min(...values)) / center,
      missed: figures.filter(({ figure }) => misses(figure)).length,
      decided: figures.filter(({ figure }) => standingOf(figure, center, promise).is !== "open")
        .length,
    };
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function print(title: string, { runs: timed }: RunResult, counts: readonly Count[]): void {
  const loads = timed.flatMap(({ load }) => load ?? []);
  const others = loads.map(({ during }) => percent(during.othersShare + during.stolenShare));
  const rows = counts.map(({ what, judged, width, spread, missed, decided }) => ({
    cells: [
      what,
      percent(spread),
      percent(width),
      `${missed} of ${judged}`,
      `${decided} of ${judged}`,
    ],
  }));
  const columns = [
    { title: "figure", align: "left" as const },
    { title: "runs differ by" },
    { title: "width" },
    { title: "median missed" },
    { title: "claim there decided" },
  ];
  console.log(
    [title, `others had ${others.join(", ")}`, ...renderTable(columns, rows, plain)].join("\n"),
  );
}

describeOnAdapter("verdicts hold", () => {
  test.each([
    ["without load beside them", false],
    ["with load beside them", true],
  ])("%s", async (name, isLoaded) => {
    const adapter = (await testGpu()).report.choice.id;
    const load = isLoaded ? startLoad() : [];
    try {
      const whole = await runPlan(plan, { adapter, runs, budgetMs, tune: false });
      expect(whole.outcome).toEqual({ state: "complete" });
      const [single, three] = [count(whole, 1), count(whole, 3)];
      print(`single runs ${name}`, whole, single);
      print(`three runs ${name}`, whole, three);
      const all = [...single, ...three];
      expect(all.every(({ judged }) => judged > 0)).toBe(true);
      expect(all.reduce((sum, { decided }) => sum + decided, 0)).toBe(0);
    } finally {
      for (const pid of load) process.kill(pid);
    }
  });
});
