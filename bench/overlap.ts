// How much of the communication that can be hidden is hidden, and what that gains: plans whose communication
// and computation are of like size, with and without overlap, in turn. Ranks have a core each if there are
// enough, and contend otherwise; messages come as fast as the machine moves them, then over emulated links of
// SHARDBENCH_OVERLAP_LINK bytes per second, default 2e8. SHARDBENCH_OVERLAP_ROUNDS sets how often; default 11.

import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { openOverlapRounds, withoutOverlap } from "../src/harness/overlap_effect.ts";
import type { Figure } from "../src/measure/figure.ts";
import { lower } from "../src/program/lower.ts";
import type { SimulatedLink } from "../src/program/simulate/link_cost.ts";
import { formatBytes, formatNumber } from "../src/measure/format.ts";
import type { OverlapEffect } from "../src/measure/overlap_effect.ts";
import { renderTable } from "../src/report/render/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan } from "../test/support/plans.ts";

const rounds = Number(process.env["SHARDBENCH_OVERLAP_ROUNDS"] ?? 11);
const emulated: SimulatedLink = {
  latencyMs: 0.02,
  bandwidth: Number(process.env["SHARDBENCH_OVERLAP_LINK"] ?? 2e8),
};

const group = [[0, 1]];
/** One row-parallel product, whose sum both ranks need, of ever more arithmetic for the same bytes. */
const widths = [64, 128, 256, 512, 1024];
const rows = 2048;
const columns = 1024;

function planOf(width: number) {
  return plan("overlap", 2, [[linear(width, columns, "row", group)]], {
    optimizations: ["communication-overlap"],
    workload: { batch: 1, microBatches: 1, sequence: rows },
  });
}

function ms(figure: Figure | undefined): string {
  return figure?.value.toFixed(1) ?? "–";
}
function percent(figure: Figure | undefined): string {
  return figure === undefined ? "–" : (100 * figure.value).toFixed(0);
}
function range(figure: Figure | undefined, scale: number, digits: number): string {
  return figure?.interval?.map((end) => (scale * end).toFixed(digits)).join("…") ?? "";
}

describeOnAdapter("overlap", () => {
  const pinned = availableParallelism() >= 2 && process.platform === "linux";
  test.each([undefined, emulated])(
    "is measured in turn with the same plan without it",
    async (link) => {
      const { choice } = (await testGpu()).report;
      const options = {
        pinToCores: pinned ? ("awake" as const) : false,
        ...(link === undefined ? {} : { link }),
      };
      const placement = [choice, choice];
      const effects: { readonly width: number; readonly effect: OverlapEffect }[] = [];
      for (const width of widths) {
        const overlapping = planOf(width);
        const program = lower(overlapping);
        const twin = withoutOverlap(overlapping, program);
        if (twin === undefined) throw new Error("nothing overlaps");
        const pool = await openRanks(program, placement, { ...options, twins: [twin] });
        try {
          if (!(await pool.openTwin(twin))) throw new Error("no memory for both");
          const turns = await openOverlapRounds(program, twin, pool, options.pinToCores);
          const effect = await turns.finish(rounds);
          if (effect === undefined) throw new Error("nothing leaves in blocks");
          effects.push({ width, effect });
        } finally {
          await pool.close();
        }
      }
      expect(effects).toHaveLength(widths.length);
      const links =
        link?.bandwidth === undefined
          ? ""
          : `, links of ${formatNumber(1000 * link.latencyMs)} µs + bytes at ${formatBytes(link.bandwidth)}/s`;
      console.log(
        [
          "",
          `${choice.id}, two ranks${pinned ? " on a core each, kept awake" : " that contend"}, all-reduce of ${rows} × ${columns} f32${links}`,
          `medians of ${rounds} rounds, times in ms, means over ranks`,
          "compute, comm: without overlap, waiting included; hideable: of that, at most the",
          "compute beside it; exposed: with overlap; hidden = comm - exposed, % of hideable",
          "HTA: % of the time communicating, waiting left out, that the rank also computes",
          ...hiddenTable(effects),
          ...(pinned
            ? [
                "",
                "of the core that a rank has for all it does, its GPU included; idle: without",
                "overlap, of the busier rank; only that can be hidden, and at most the compute",
                ...idleTable(effects),
              ]
            : []),
          "",
          "steps; compute x: computing with overlap / without",
          ...stepTable(effects),
        ].join("\n"),
      );
    },
  );
});

type Effects = readonly { readonly width: number; readonly effect: OverlapEffect }[];

function hiddenTable(effects: Effects): string[] {
  return tableOf(
    ["k", "compute", "comm", "hideable", "exposed", "hidden", "%", "95 %", "HTA %"],
    effects.map(({ width, effect }) => [
      String(width),
      ms(effect.plainComputeMs),
      ms(effect.communicationMs),
      ms(effect.hideableMs),
      ms(effect.exposedMs),
      ms(effect.hiddenMs),
      percent(effect.hiddenShare),
      range(effect.hiddenShare, 100, 0),
      percent(effect.overlap),
    ]),
  );
}

function idleTable(effects: Effects): string[] {
  return tableOf(
    ["k", "idle", "hideable", "hidden", "%", "95 %", "more work"],
    effects.map(({ width, effect: { core } }) => [
      String(width),
      ms(core?.idleMs),
      ms(core?.hideableMs),
      ms(core?.hiddenMs),
      percent(core?.hiddenShare),
      range(core?.hiddenShare, 100, 0),
      ms(core?.moreWorkMs),
    ]),
  );
}

function stepTable(effects: Effects): string[] {
  return tableOf(
    ["k", "plain", "overlap", "ratio", "95 %", "compute x", "95 %"],
    effects.map(({ width, effect: { plainStepMs, stepMs, stepRatio, computeRatio } }) => [
      String(width),
      ms(plainStepMs),
      ms(stepMs),
      stepRatio.value.toFixed(3),
      range(stepRatio, 1, 3),
      computeRatio === undefined ? "–" : formatNumber(computeRatio.value),
      range(computeRatio, 1, 2),
    ]),
  );
}

function tableOf(titles: readonly string[], rowsOf: readonly (readonly string[])[]): string[] {
  return renderTable(
    titles.map((title) => ({ title })),
    rowsOf.map((cells) => ({ cells })),
  );
}
