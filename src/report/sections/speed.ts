// How fast a run was.

import type { Figure } from "../../measure/figure.ts";
import {
  countOf,
  formatFigure,
  formatInterval,
  formatPercent,
  formatValue,
} from "../../measure/format.ts";
import { reasonsOfMargin } from "../../measure/margin.ts";
import type { Metrics } from "../../measure/metrics.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";
import { boundShareCells } from "./bound_share.ts";
import { evidenceOf } from "./evidence.ts";

export function speedSection({ metrics }: RunResult): Section {
  const figures: readonly (readonly [label: string, figure: Figure | undefined])[] = [
    ["step", metrics.stepMs],
    ["samples", metrics.samplesPerSecond],
    ["tokens", metrics.tokensPerSecond],
    ["busy", metrics.busy],
    ["MFU", metrics.mfu],
    ["HFU", metrics.hfu?.value === metrics.mfu?.value ? undefined : metrics.hfu],
    ["bandwidth", metrics.bandwidth],
  ];
  const rows = figures.flatMap(([label, figure]) =>
    figure === undefined ? [] : [{ cells: [label, ...cellsOf(label, figure, metrics)] }],
  );
  const notes = [...evidenceOf(metrics.stepMs), ...marginOf(metrics.stepMs), ...spreadOf(metrics)];
  return {
    title: metrics.serving === undefined ? "Speed" : "Speed of decode steps",
    blocks:
      rows.length === 0
        ? []
        : [table([...left(""), ...right("median", "95 % within")], rows), note(notes.join("; "))],
  };
}

/** What is over its bound is no result: a note says what it contradicts. */
function cellsOf(label: string, figure: Figure, { overBound }: Metrics): string[] {
  const contradicts = overBound.some(({ name }) => name === label);
  const [value, interval] =
    figure.unit === "share"
      ? boundShareCells(figure, !contradicts)
      : [formatFigure(figure), formatInterval(figure)];
  return [value, interval || "–"];
}

/** Why intervals are wider than the samples ask for. */
function marginOf(figure: Figure | undefined): string[] {
  if (figure?.margin === undefined) return [];
  const why = reasonsOfMargin(figure.runs);
  return [`intervals hold ${formatPercent(figure.margin)} either way for ${why}`];
}

function spreadOf({ percentiles, outliers }: Metrics): string[] {
  return [
    ...(["p50", "p90", "p99"] as const).flatMap((name) => {
      const ms = percentiles[name];
      return ms === undefined ? [] : [`step ${name} ${formatValue(ms, "ms")}`];
    }),
    ...(outliers === 0 ? [] : [countOf(outliers, "outlier")]),
  ];
}
