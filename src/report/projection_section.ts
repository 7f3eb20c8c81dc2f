// A projected step beside the measured one, on a terminal.

import type { Figure } from "../measure/figure.ts";
import { kernelSlowdown } from "../measure/kernel_slowdown.ts";
import type { Metrics } from "../measure/metrics.ts";
import type { Colours } from "./colour.ts";
import { formatFigure, formatInterval, formatNumber, formatValue } from "../measure/format.ts";
import type { MeasuredLink } from "../result/link_file.ts";
import type { Projection } from "../result/result.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

type Compared = "stepMs" | "samplesPerSecond" | "tokensPerSecond" | "busy";

/** @param run absent where only the projection was asked for */
export const projectionLines = (
  projection: Projection | undefined,
  run:
    | {
        readonly metrics: Pick<Metrics, Compared>;
        readonly samples: Parameters<typeof kernelSlowdown>[0];
      }
    | undefined,
  colours: Colours,
): string[] => {
  if (projection === undefined) return [];
  const measured = run?.metrics;
  const slowdown = run === undefined ? undefined : kernelSlowdown(run.samples, projection.from);
  const figures = [
    ["step", "stepMs"],
    ["samples", "samplesPerSecond"],
    ["tokens", "tokensPerSecond"],
    ["busy", "busy"],
  ] as const;
  const rows = figures.flatMap(([label, key]) => {
    const projected = projection[key];
    if (projected === undefined) return [];
    const beside = measured?.[key];
    return [{ cells: [label, formatFigure(projected), ...besideCells(projected, beside)] }];
  });
  const hasBoth = measured?.stepMs !== undefined;
  return [
    ...table(
      [
        { title: "", align: "left" },
        { title: "projected" },
        ...(hasBoth ? [{ title: "measured" }, { title: "95 % within" }, { title: "ratio" }] : []),
      ],
      rows,
      colours,
    ),
    ...wrapIndented(
      `projected: ${projection.stepMs?.conditions.join("; ") ?? ""}; wake-up of a waiting rank ` +
        `${formatNumber(projection.from.latencyMs * 1000)} µs. As if each rank had an adapter of its own` +
        (hasBoth
          ? "; where ranks share one, the measured step is longer by their contention"
          : "") +
        (slowdown === undefined
          ? ""
          : `; in the measured steps, kernels took ${formatNumber(slowdown)} times as long as alone`),
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

const besideCells = (projected: Figure, measured: Figure | undefined): string[] =>
  measured === undefined
    ? []
    : [
        formatFigure(measured),
        formatInterval(measured) || "–",
        `${formatNumber(projected.value / measured.value)}×`,
      ];

/** What a projection over a measured link rests on, in a phrase. */
export function linkCondition({ latencyMs, bandwidth, source }: MeasuredLink): string {
  const rate = bandwidth === undefined ? "" : ` and ${formatValue(bandwidth, "B/s")}`;
  return `transfers by a link of ${formatNumber(1000 * latencyMs)} µs${rate}, fitted to ${source}`;
}
