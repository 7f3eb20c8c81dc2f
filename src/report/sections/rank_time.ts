// What each rank did with its time.

import type { Figure } from "../../measure/figure.ts";
import { formatFigure } from "../../measure/format.ts";
import type { Metrics } from "../../measure/metrics.ts";
import { note, right, table, type Section } from "../section.ts";
import { evidenceOf } from "./evidence.ts";

const parts = [
  ["compute", "compute"],
  ["comm", "communication"],
  ["host", "host"],
  ["idle", "idle"],
  ["readback", "readback"],
  ["move", "move"],
  ["reduce", "reduce"],
  ["upload", "upload"],
  ["busy", "busy"],
] as const;

/** @param whole what the shares are of, in a phrase */
export function rankTimeSection(ranks: Metrics["ranks"], whole: string): Section {
  const title = `Time per rank, % of ${whole}`;
  if (ranks.length === 0) return { title, blocks: [] };
  const lost = ranks.filter(({ unattributed }) => unattributed.value >= 0.0005);
  return {
    title,
    blocks: [
      table(
        right("rank", ...parts.map(([name]) => name), "overlap"),
        ranks.map((rank) => ({
          cells: [
            String(rank.rank),
            ...parts.map(([, part]) => percent(rank[part])),
            percent(rank.overlap),
          ],
        })),
      ),
      note(
        `${evidenceOf(ranks[0]?.compute).join("")}. compute + comm + host + idle = 100; ` +
          "comm = readback + move + reduce + upload; overlap is of the time spent communicating.",
      ),
      ...lost.map(({ rank, unattributed }) =>
        note(`rank ${rank}: ${formatFigure(unattributed)} could not be attributed`, "plain"),
      ),
    ],
  };
}

function percent(figure: Figure | undefined): string {
  return figure === undefined ? "–" : (figure.value * 100).toFixed(1);
}
