// How fast requests were served.

import type { Figure } from "../../measure/figure.ts";
import {
  countOf,
  formatBytes,
  formatFigure,
  formatInterval,
  formatPercent,
} from "../../measure/format.ts";
import type { LatencyFigures } from "../../measure/serving.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";
import { evidenceOf } from "./evidence.ts";

export function servingSection({ metrics, served = [] }: RunResult): Section {
  const title = "Serving";
  const { serving } = metrics;
  if (serving === undefined) return { title, blocks: [] };
  const latencies: readonly (readonly [label: string, figures: LatencyFigures])[] = [
    ["TTFT", serving.ttftMs],
    ["TPOT", serving.tpotMs],
    ["ITL", serving.itlMs],
  ];
  const rates: readonly (readonly [label: string, figure: Figure])[] = [
    ["requests", serving.requestsPerSecond],
    ["output tokens", serving.outputTokensPerSecond],
    ["all tokens", serving.totalTokensPerSecond],
    ["output tokens per GPU", serving.tokensPerSecondPerGpu],
    ["tokens per user", serving.tokensPerSecondPerUser],
  ];
  const rows = latencies.map(([label, { mean, median, p99 }]) => ({
    cells: [
      label,
      formatFigure(mean),
      formatInterval(mean) || "–",
      formatFigure(median),
      p99 === undefined ? "–" : formatFigure(p99),
    ],
  }));
  return {
    title,
    blocks: [
      table([...left(""), ...right("mean", "95 % within", "median", "p99")], rows),
      table(
        [...left(""), ...right("median", "95 % within")],
        rates.map(([label, figure]) => ({
          cells: [label, formatFigure(figure), formatInterval(figure) || "–"],
        })),
      ),
      note(
        [
          ...evidenceOf(serving.requestsPerSecond),
          ...stepsOf(served),
          `caches of ${formatBytes(serving.kvCacheBytes.value)}, of which ${formatPercent(serving.kvCacheUsed.value)} were in use at most`,
          "time is the wall of steps: what lies between two steps is not counted",
        ].join("; "),
      ),
    ],
  };
}

function stepsOf([round]: NonNullable<RunResult["served"]>): string[] {
  return round === undefined
    ? []
    : [
        `a round serves ${countOf(round.tokenMs.length, "request")} in ${countOf(round.prefillSteps, "prefill step")} and ${countOf(round.decodeSteps, "decode step")}`,
      ];
}
