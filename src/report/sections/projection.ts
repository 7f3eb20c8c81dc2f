// A projected step beside the measured one.

import type { Figure } from "../../measure/figure.ts";
import { kernelSlowdown } from "../../measure/kernel_slowdown.ts";
import type { Metrics } from "../../measure/metrics.ts";
import { formatFigure, formatInterval, formatNumber, formatValue } from "../../measure/format.ts";
import type { MeasuredLink } from "../../result/link_file.ts";
import type { Projection } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";

type Compared = "stepMs" | "samplesPerSecond" | "tokensPerSecond" | "busy";

interface MeasuredBeside {
  readonly metrics: Pick<Metrics, Compared>;
  readonly samples: Parameters<typeof kernelSlowdown>[0];
}

/** @param run absent where only the projection was asked for */
export function projectionSection(
  projection: Projection | undefined,
  run: MeasuredBeside | undefined,
): Section {
  const title = "Projection";
  if (projection === undefined) return { title, blocks: [] };
  const hasBoth = run?.metrics.stepMs !== undefined;
  const rows = figures.flatMap(([label, key]) => {
    const projected = projection[key];
    if (projected === undefined) return [];
    const beside = besideCells(projected, run?.metrics[key]);
    return [{ cells: [label, formatFigure(projected), ...beside] }];
  });
  return {
    title,
    blocks: [
      table(
        [
          ...left(""),
          ...right("projected", ...(hasBoth ? ["measured", "95 % within", "ratio"] : [])),
        ],
        rows,
      ),
      note(conditionsOf(projection, run)),
    ],
  };
}

const figures = [
  ["step", "stepMs"],
  ["samples", "samplesPerSecond"],
  ["tokens", "tokensPerSecond"],
  ["busy", "busy"],
] as const;

function conditionsOf(projection: Projection, run: MeasuredBeside | undefined): string {
  const slowdown = run === undefined ? undefined : kernelSlowdown(run.samples, projection.from);
  return (
    `projected: ${projection.stepMs?.conditions.join("; ") ?? ""}; wake-up of a waiting rank ` +
    `${formatNumber(projection.from.latencyMs * 1000)} µs. As if each rank had an adapter of its own` +
    (run?.metrics.stepMs === undefined
      ? ""
      : "; where ranks share one, the measured step is longer by their contention") +
    (slowdown === undefined
      ? ""
      : `; in the measured steps, kernels took ${formatNumber(slowdown)} times as long as alone`)
  );
}

function besideCells(projected: Figure, measured: Figure | undefined): string[] {
  return measured === undefined
    ? []
    : [
        formatFigure(measured),
        formatInterval(measured) || "–",
        `${formatNumber(projected.value / measured.value)}×`,
      ];
}

/** What a projection over a measured link rests on, in a phrase. */
export function linkCondition({ latencyMs, bandwidth, source }: MeasuredLink): string {
  const rate = bandwidth === undefined ? "" : ` and ${formatValue(bandwidth, "B/s")}`;
  return `transfers by a link of ${formatNumber(1000 * latencyMs)} µs${rate}, fitted to ${source}`;
}
