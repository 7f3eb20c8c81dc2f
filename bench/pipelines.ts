// Bubbles of pipelines against theory: p = 1 … 4 pipeline ranks, m = 1 … 16 micro-batches under 1F1B, with a synthetic
// backward pass. Where there is a core for every rank, steps are measured with each rank on a core of its
// own; all are projected from exclusive timing. Measured and exclusive steps take turns, so that whatever else the
// machine does meets both, and their ratio is taken within a turn. Results are checked by the tests of the same
// programs.

import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { bubbleOf, type BubbleSample } from "../src/measure/bubble.ts";
import { median } from "../src/measure/statistics.ts";
import type { Program } from "../src/program/program.ts";
import { predictedBubble, scheduleOf } from "../src/program/schedule/schedule.ts";
import { lower } from "../src/program/lower.ts";
import { simulateRepeats } from "../src/program/simulate/simulate.ts";
import type { StepTrace } from "../src/program/trace.ts";
import { renderTable } from "../src/report/render/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import type { RankPool } from "../src/runtime/rank_pool.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan } from "../test/support/plans.ts";

const width = 384;
const rowsPerMicroBatch = 64;
const layersPerStage = 4;
const warmUps = 2;
const turns = 12;
const stepsPerTurn = 2;
/** Where nothing is measured. */
const turnsAlone = 3;

function pipeline(p: number, m: number) {
  return plan(
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
}

interface Turn {
  /** Empty where there are more ranks than cores. */
  readonly measured: readonly StepTrace[];
  readonly projected: readonly StepTrace[];
}

async function takeTurns(pool: RankPool, program: Program, isReal: boolean): Promise<Turn[]> {
  const step = async (count: number): Promise<StepTrace[]> => {
    const traces: StepTrace[] = [];
    for (let i = 0; i < count; i++) traces.push(await pool.step());
    return traces;
  };
  await step(warmUps);
  const taken: Turn[] = [];
  for (let turn = 0; turn < (isReal ? turns : turnsAlone); turn++) {
    const measured = isReal ? await step(stepsPerTurn) : [];
    const alone = await pool.timeAlone(stepsPerTurn);
    if (alone === undefined) throw new Error("the adapter does not time kernels one by one");
    taken.push({ measured, projected: simulateRepeats(program, alone) });
  }
  return taken;
}

function middleOf<Item>(items: readonly Item[], of: (item: Item) => number): Item {
  const middle = items.toSorted((a, b) => of(a) - of(b))[items.length >> 1];
  if (middle === undefined) throw new Error("no step was taken");
  return middle;
}
function wallMs(trace: StepTrace): number {
  return trace.wallMs;
}

function computeMs({ ranks }: StepTrace): number {
  return ranks
    .flatMap(({ spans }) => spans)
    .filter(({ kind }) => kind === "compute")
    .reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

/** How much kernels of a turn may differ beside each other from what they take alone, in a turn without contention. */
const likeAlone = 1.1;

/**
 * Of the projected step to the measured one: the median over the turns, the least and the most. Then how many times
 * as long kernels took in the measured steps as alone: other guests of a virtual machine's host may slow its cores for
 * seconds. Then the median ratio of turns in which they took as long, and how many.
 */
function ratiosOf(taken: readonly Turn[]): string[] {
  const compared = taken.map(({ measured, projected }) => ({
    ratio: middleOf(projected, wallMs).wallMs / middleOf(measured, wallMs).wallMs,
    kernels: computeMs(middleOf(measured, computeMs)) / computeMs(middleOf(projected, computeMs)),
  }));
  const ratioOf = ({ ratio }: { readonly ratio: number }): number => ratio;
  const ratios = compared.map(ratioOf);
  const range = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  const alike = compared.filter(({ kernels }) => Math.max(kernels, 1 / kernels) <= likeAlone);
  return [
    middleOf(compared, ratioOf).ratio.toFixed(3),
    range.join(" … "),
    middleOf(compared, ({ kernels }) => kernels).kernels.toFixed(2),
    alike.length === 0
      ? "–"
      : `${middleOf(alike, ratioOf).ratio.toFixed(3)} (${alike.length} of ${taken.length})`,
  ];
}

/** What is left of a bubble when its overheads are taken off; theory is held against it. */
function withoutOverheads({ measured, imbalance, communication, host }: BubbleSample): number {
  return measured - imbalance - communication - host;
}

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
        const pool = await openRanks(program, placement, {
          pinToCores: isReal ? "awake" : false,
        });
        const taken = await takeTurns(pool, program, isReal);
        await pool.close();
        const projected = middleOf(
          taken.flatMap((turn) => turn.projected),
          wallMs,
        );
        const steps = taken.flatMap((turn) => turn.measured);
        const measured = isReal ? middleOf(steps, wallMs) : undefined;
        const bubbles = (isReal ? steps : taken.flatMap((turn) => turn.projected)).flatMap(
          (step) => bubbleOf(program, step) ?? [],
        );
        const share = (of: (bubble: BubbleSample) => number): string =>
          bubbles.length === 0 ? "–" : (100 * median(bubbles.map(of))).toFixed(1);
        rows.push([
          `${p}`,
          `${m}`,
          measured === undefined ? "proj." : "measured",
          share((bubble) => bubble.measured),
          share((bubble) => bubble.imbalance),
          share((bubble) => bubble.communication),
          share((bubble) => bubble.host),
          share(withoutOverheads),
          (100 * theory).toFixed(1),
          measured?.wallMs.toFixed(1) ?? "–",
          projected.wallMs.toFixed(1),
          ...(isReal ? ratiosOf(taken) : ["–", "–", "–", "–"]),
        ]);
      }
    }
    const titles =
      "p|m||bubble|imbal.|comm|host|rest|theory|step ms|proj. ms|ratio|from … to|kernels|without contention".split(
        "|",
      );
    console.log(
      [
        "",
        `1F1B with a synthetic backward pass, ${layersPerStage} products ${rowsPerMicroBatch}×${width}² a stage, ${choice.id}, ${cores} cores; % of the ranks' time`,
        "rest = bubble − imbal. − comm − host; medians, each column by itself",
        `measured: ${turns * stepsPerTurn} steps, ranks on a core each, kept awake; proj.: ${turnsAlone * stepsPerTurn} exclusive steps of each rank, not pinned`,
        `ratio: projected to measured within a turn of ${stepsPerTurn} steps each, median of ${turns} turns`,
        "kernels: time in measured steps to time alone",
        `without contention: ratio of the turns in which that is within ${likeAlone}`,
        ...renderTable(
          titles.map((title, i) => (i === 2 ? { title, align: "left" } : { title })),
          rows.map((cells) => ({ cells })),
        ),
      ].join("\n"),
    );
    expect(rows).toHaveLength(20);
  });
});
