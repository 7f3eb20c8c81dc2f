// How much of the communication that can be hidden is hidden, and what that gains: plans whose communication
// and computation are of like size, with and without overlap, in turn. Ranks have a core each if there are
// enough, and contend otherwise.

import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { intersect, lengthOf, merge, type Interval } from "../src/measure/intervals.ts";
import { median } from "../src/measure/statistics.ts";
import { lower } from "../src/program/lower.ts";
import type { RankTrace, SpanKind, StepTrace } from "../src/program/trace.ts";
import { table } from "../src/report/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan } from "../test/support/plans.ts";

const rounds = 11;

const group = [[0, 1]];
/** One row-parallel product, whose sum both ranks need, of ever more arithmetic for the same bytes. */
const widths = [128, 256, 512, 1024, 2048];
const rows = 2048;
const columns = 1024;

const planOf = (width: number, overlaps: boolean) =>
  plan("overlap", 2, [[linear(width, columns, "row", group)]], {
    optimizations: overlaps ? ["communication-overlap"] : [],
    workload: { batch: 1, microBatches: 1, sequence: rows },
  });

const timesOf = ({ spans }: RankTrace, kinds: readonly SpanKind[]): Interval[] =>
  merge(
    spans.flatMap(({ kind, startMs, endMs }): Interval[] =>
      kinds.includes(kind) ? [[startMs, endMs]] : [],
    ),
  );

const communication = ["readback", "move", "reduce", "upload", "wait"] as const;

/** Of one rank: communication in ms, and the part of it during which a kernel of the model ran. */
const hiddenOf = (rank: RankTrace) => {
  const all = timesOf(rank, communication);
  const computing = timesOf(rank, ["compute"]);
  return {
    communicationMs: lengthOf(all),
    computeMs: lengthOf(computing),
    hiddenMs: lengthOf(intersect(all, computing)),
  };
};

const medianOver = (steps: readonly StepTrace[], of: (rank: RankTrace) => number): number =>
  median(steps.map(({ ranks }) => Math.max(...ranks.map(of))));

describeOnAdapter("overlap", () => {
  test("is measured in turn with the same plan without it", async () => {
    const { choice } = (await testGpu()).report;
    const pinned = availableParallelism() >= 2 && process.platform === "linux";
    const cells: string[][] = [];
    for (const width of widths) {
      const pools = [];
      for (const overlaps of [false, true]) {
        const program = lower(planOf(width, overlaps));
        pools.push(await openRanks(program, [choice, choice], { pinToCores: pinned }));
      }
      const [plain, overlapped] = pools;
      if (plain === undefined || overlapped === undefined) throw new Error("two programs");
      const steps: { readonly without: StepTrace; readonly overlap: StepTrace }[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const both = { without: await plain.step(), overlap: await overlapped.step() };
        if (round > 0) steps.push(both);
      }
      await Promise.all(pools.map(async (pool) => pool.close()));
      const without = steps.map((step) => step.without);
      const withOverlap = steps.map(({ overlap }) => overlap);
      const computeMs = medianOver(without, (rank) => hiddenOf(rank).computeMs);
      const communicationMs = medianOver(without, (rank) => hiddenOf(rank).communicationMs);
      const hidden = medianOver(withOverlap, (rank) => hiddenOf(rank).hiddenMs);
      // The last block has nothing left to hide behind, and nothing hides behind what is not computed.
      const blocks = overlappedBlocks(width);
      const hideable = Math.min(communicationMs, computeMs) * (1 - 1 / blocks);
      cells.push([
        String(width),
        computeMs.toFixed(1),
        communicationMs.toFixed(1),
        hidden.toFixed(1),
        `${((100 * hidden) / hideable).toFixed(0)} %`,
        median(without.map(({ wallMs }) => wallMs)).toFixed(1),
        median(withOverlap.map(({ wallMs }) => wallMs)).toFixed(1),
        median(steps.map(({ without: a, overlap: b }) => b.wallMs / a.wallMs)).toFixed(3),
      ]);
    }
    expect(cells).toHaveLength(widths.length);
    console.log(
      `\n${choice.id}, two ranks${pinned ? " on a core each" : " that contend"}, ` +
        `all-reduce of ${rows} × ${columns} f32; medians of ${rounds} rounds in ms, of the rank that takes longest\n` +
        table(
          [
            "k",
            "compute",
            "comm",
            "hidden",
            "of hideable",
            "plain step",
            "overlap step",
            "ratio",
          ].map((title) => ({ title })),
          cells.map((row) => ({ cells: row })),
        ).join("\n"),
    );
  });
});

const overlappedBlocks = (width: number): number =>
  lower(planOf(width, true)).ranks[0]?.instructions.filter(({ op }) => op === "start").length ?? 1;
