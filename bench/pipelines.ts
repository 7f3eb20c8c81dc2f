// Bubbles of pipelines against theory: p = 1 … 4 positions, m = 1 … 16 micro-batches under 1F1B, with stand-ins
// in backward slots. Where there is a core for every rank, steps are measured with each rank on a core of its
// own; all are projected from exclusive timing. Results are checked by the tests of the same programs.

import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { bubbleOf, type BubbleSample } from "../src/measure/bubble.ts";
import { predictedBubble, scheduleOf } from "../src/program/schedule/schedule.ts";
import { lower } from "../src/program/lower.ts";
import { simulateRepeats } from "../src/program/simulate/simulate.ts";
import type { StepTrace } from "../src/program/trace.ts";
import { table } from "../src/report/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan } from "../test/support/plans.ts";

const width = 384;
const rowsPerMicroBatch = 64;
const layersPerStage = 4;
const warmUps = 2;
const steps = 7;
const repeats = 7;

const pipeline = (p: number, m: number) =>
  plan(
    `p = ${p}, m = ${m}`,
    p,
    Array.from({ length: p }, (_, stage) =>
      Array.from({ length: layersPerStage }, () => linear(width, width, "replicated", [[stage]])),
    ),
    {
      workload: {
        batch: m * rowsPerMicroBatch,
        microBatches: m,
        sequence: 1,
        mode: "training",
        schedule: "1f1b",
      },
    },
  );

interface Measured {
  readonly wallMs: number;
  readonly bubble: BubbleSample | undefined;
}

const medianStep = (program: ReturnType<typeof lower>, traces: readonly StepTrace[]): Measured => {
  const ordered = traces.toSorted((a, b) => a.wallMs - b.wallMs);
  const middle = ordered[ordered.length >> 1];
  if (middle === undefined) throw new Error("no step was measured");
  return { wallMs: middle.wallMs, bubble: bubbleOf(program, middle) };
};

const percent = (share: number | undefined): string =>
  share === undefined ? "–" : (100 * share).toFixed(1);

/** What is left of a bubble when its overheads are taken off; theory is held against it. */
const withoutOverheads = ({ measured, imbalance, communication, host }: BubbleSample): number =>
  measured - imbalance - communication - host;

describeOnAdapter("pipelines", () => {
  test("bubbles against theory", async () => {
    const { choice } = (await testGpu()).report;
    const cores = availableParallelism();
    const rows: string[][] = [];
    for (const p of [1, 2, 3, 4]) {
      for (const m of [1, 2, 4, 8, 16]) {
        const given = pipeline(p, m);
        const program = lower(given);
        const schedule = scheduleOf(given);
        if (schedule === undefined) throw new Error("it is a pipeline");
        const theory = predictedBubble(schedule).ofTotal;
        const isReal = p <= cores;
        const placement = program.ranks.map(() => choice);
        const pool = await openRanks(program, placement, { pinToCores: isReal });
        const traces: StepTrace[] = [];
        const stepsToRun = isReal ? warmUps + steps : 0;
        for (let step = 0; step < stepsToRun; step++) traces.push(await pool.step());
        const alone = await pool.timeAlone(repeats);
        await pool.close();
        if (alone === undefined) throw new Error("the adapter does not time kernels one by one");
        const projected = medianStep(program, simulateRepeats(program, alone));
        const measured = isReal ? medianStep(program, traces.slice(warmUps)) : undefined;
        const { bubble } = measured ?? projected;
        rows.push([
          `${p}`,
          `${m}`,
          measured === undefined ? "proj." : "measured",
          percent(bubble?.measured),
          percent(bubble?.imbalance),
          percent(bubble?.communication),
          percent(bubble?.host),
          percent(bubble === undefined ? undefined : withoutOverheads(bubble)),
          percent(theory),
          measured?.wallMs.toFixed(1) ?? "–",
          projected.wallMs.toFixed(1),
          measured === undefined ? "–" : (projected.wallMs / measured.wallMs).toFixed(3),
        ]);
      }
    }
    const titles = "p|m||bubble|imbal.|comm|host|rest|theory|step ms|proj. ms|ratio".split("|");
    console.log(
      [
        "",
        `1F1B with stand-ins, ${layersPerStage} products ${rowsPerMicroBatch}×${width}² a stage; % of the ranks' time; rest = bubble − imbal. − comm − host;`,
        `median of ${steps} steps, of ${repeats} exclusive steps of each rank, ${cores} cores, ${choice.id}`,
        ...table(
          titles.map((title, i) => (i === 2 ? { title, align: "left" } : { title })),
          rows.map((cells) => ({ cells })),
        ),
      ].join("\n"),
    );
    expect(rows).toHaveLength(20);
  });
});
