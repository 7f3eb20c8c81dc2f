// How much of the communication that can be hidden is hidden, and what that gains: plans whose communication
// and computation are of like size, with and without overlap, in turn. Ranks have a core each if there are
// enough, and contend otherwise. SHARDBENCH_OVERLAP_ROUNDS sets how often; default 11.

import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { measureOverlapEffect } from "../src/harness/overlap_effect.ts";
import type { Figure } from "../src/measure/figure.ts";
import { lower } from "../src/program/lower.ts";
import { formatNumber } from "../src/report/format.ts";
import { table } from "../src/report/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan } from "../test/support/plans.ts";

const rounds = Number(process.env["SHARDBENCH_OVERLAP_ROUNDS"] ?? 11);

const group = [[0, 1]];
/** One row-parallel product, whose sum both ranks need, of ever more arithmetic for the same bytes. */
const widths = [32, 64, 128, 256, 512, 1024, 2048];
const rows = 2048;
const columns = 1024;

const planOf = (width: number) =>
  plan("overlap", 2, [[linear(width, columns, "row", group)]], {
    optimizations: ["communication-overlap"],
    workload: { batch: 1, microBatches: 1, sequence: rows },
  });

const ms = (figure: Figure): string => figure.value.toFixed(1);
const percent = (figure: Figure | undefined): string =>
  figure === undefined ? "–" : (100 * figure.value).toFixed(0);
const range = ({ interval }: Figure, scale: number, digits: number): string =>
  interval?.map((end) => (scale * end).toFixed(digits)).join("…") ?? "";

describeOnAdapter("overlap", () => {
  test("is measured in turn with the same plan without it", async () => {
    const { choice } = (await testGpu()).report;
    const pinned = availableParallelism() >= 2 && process.platform === "linux";
    const options = { pinToCores: pinned };
    const hidden: string[][] = [];
    const gained: string[][] = [];
    for (const width of widths) {
      const overlapping = planOf(width);
      const program = lower(overlapping);
      const placement = [choice, choice];
      const pool = await openRanks(program, placement, options);
      try {
        const effect = await measureOverlapEffect(
          overlapping,
          program,
          pool,
          placement,
          options,
          rounds,
        );
        if (effect?.hiddenShare === undefined || effect.computeRatio === undefined) {
          throw new Error("nothing overlaps");
        }
        const { hiddenShare, plainComputeMs, communicationMs, hideableMs, exposedMs } = effect;
        const { plainStepMs, stepMs, stepRatio, computeRatio } = effect;
        hidden.push([
          String(width),
          ...[plainComputeMs, communicationMs, hideableMs, exposedMs, effect.hiddenMs].map(ms),
          percent(hiddenShare),
          range(hiddenShare, 100, 0),
          percent(effect.overlap),
        ]);
        gained.push([
          String(width),
          ms(plainStepMs),
          ms(stepMs),
          stepRatio.value.toFixed(3),
          range(stepRatio, 1, 3),
          formatNumber(computeRatio.value),
          range(computeRatio, 1, 2),
        ]);
      } finally {
        await pool.close();
      }
    }
    expect(hidden).toHaveLength(widths.length);
    console.log(
      [
        "",
        `${choice.id}, two ranks${pinned ? " on a core each" : " that contend"}, all-reduce of ${rows} × ${columns} f32`,
        `medians of ${rounds} rounds, times in ms, means over ranks`,
        "compute, comm: without overlap, waiting included; hideable: of that, at most the",
        "compute beside it; exposed: with overlap; hidden = comm - exposed, % of hideable",
        "HTA: % of the time communicating, waiting left out, that the rank also computes",
        ...tableOf(
          ["k", "compute", "comm", "hideable", "exposed", "hidden", "%", "95 %", "HTA %"],
          hidden,
        ),
        "",
        "steps; compute x: computing with overlap / without",
        ...tableOf(["k", "plain", "overlap", "ratio", "95 %", "compute x", "95 %"], gained),
      ].join("\n"),
    );
  });
});

const tableOf = (titles: readonly string[], rowsOf: readonly (readonly string[])[]): string[] =>
  table(
    titles.map((title) => ({ title })),
    rowsOf.map((cells) => ({ cells })),
  );
