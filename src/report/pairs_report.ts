// The matrices of `shardbench collectives --pairs`: latency and bandwidth, a row for each sender.

import { runConditions } from "../claims/obstacles.ts";
import { formatBytes, formatNumber } from "../measure/format.ts";
import type { CollectiveBench, CollectiveRow } from "../result/collective_bench.ts";
import { left, note, paragraph, type Report, right, type Section, table } from "./section.ts";
import { outcomeSection } from "./sections/outcome.ts";

interface ShownPair extends CollectiveBench {
  readonly from: number;
  readonly to: number;
}

export function pairsReport(pairs: readonly ShownPair[]): Report {
  const [first] = pairs;
  if (first === undefined) return { sections: [] };
  const shown = new Map(pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const ranks = 1 + Math.max(...pairs.map(({ from, to }) => Math.max(from, to)));
  const broken = pairs.find(({ outcome }) => outcome.state !== "complete");
  return {
    title: [{ text: `send between every two of ${ranks} ranks, ${first.dtype}`, tone: "strong" }],
    intro: [paragraph(runConditions(first.adapters).join("; "), "faint")],
    sections: [
      matrix("Latency, µs", ranks, shown, ({ rows }) => {
        const least = edge(rows, (a, b) => a.bytes < b.bytes);
        return least === undefined ? "" : formatNumber(1000 * least.outOfPlace.ms);
      }),
      matrix("Bandwidth, GB/s", ranks, shown, ({ rows }) => {
        const most = edge(rows, (a, b) => a.bytes > b.bytes);
        return most === undefined ? "" : formatNumber(most.outOfPlace.algorithmBandwidth / 1e9);
      }),
      { blocks: [note(sizesOf(first))] },
      ...(broken === undefined
        ? []
        : [outcomeSection(broken.outcome, `${pairs.length} pairs kept`)]),
    ],
  };
}

function matrix(
  title: string,
  ranks: number,
  shown: ReadonlyMap<string, ShownPair>,
  cellOf: (pair: ShownPair) => string,
): Section {
  const numbers = Array.from({ length: ranks }, (_, rank) => rank);
  return {
    title,
    blocks: [
      table(
        [...left("from \\ to"), ...right(...numbers.map(String))],
        numbers.map((from) => ({
          cells: [
            String(from),
            ...numbers.map((to) => {
              const pair = shown.get(`${from} ${to}`);
              return pair === undefined ? "–" : cellOf(pair);
            }),
          ],
        })),
      ),
    ],
  };
}

function edge(
  rows: readonly CollectiveRow[],
  isBefore: (a: CollectiveRow, b: CollectiveRow) => boolean,
): CollectiveRow | undefined {
  return rows.toSorted((a, b) => (isBefore(a, b) ? -1 : 1))[0];
}

function sizesOf({ rows }: ShownPair): string {
  const sizes = rows.map(({ bytes }) => bytes);
  return (
    `measured, one pair at a time: latency is the time of ${formatBytes(Math.min(...sizes))}, ` +
    `bandwidth that of ${formatBytes(Math.max(...sizes))}, medians of a send's time`
  );
}
