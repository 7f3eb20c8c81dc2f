// Each kernel of a run against its adapter's roofline, on a terminal.

import type { KernelMetrics } from "../measure/metrics.ts";
import type { Colours } from "./colour.ts";
import { boundShareCells } from "./bound_share.ts";
import { countOf, formatFigure, formatNumber, formatValue, samplesOf } from "../measure/format.ts";
import type { RunResult } from "../result/result.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

/** More than anyone reads; the result file has all. */
const mostRows = 12;

/** The kernels that took the most time come first. */
export const rooflineLines = ({ metrics, adapters }: RunResult, colours: Colours): string[] => {
  const kernels = metrics.kernels.toSorted((a, b) => b.share.value - a.share.value);
  if (kernels.length === 0) return [];
  const several = new Set(adapters.map(({ id }) => id)).size > 1;
  const shown = kernels.slice(0, mostRows);
  const rest = kernels.slice(mostRows);
  const restShare = rest.reduce((sum, { share }) => sum + share.value, 0);
  return [
    ...table(
      [
        { title: "kernel", align: "left" },
        { title: "time" },
        { title: "calls" },
        { title: "a call" },
        { title: "FLOP/B" },
        { title: "reached" },
        { title: "of bound" },
      ],
      shown.map((kernel) => ({
        cells: [
          shaderOf(kernel),
          formatFigure(kernel.share),
          formatNumber(kernel.uses),
          formatFigure(kernel.callMs),
          kernel.intensity === undefined ? "–" : formatNumber(kernel.intensity),
          reachedOf(kernel),
          kernel.bound === undefined ? "–" : shareOf(kernel.bound)[0],
        ],
        note: noteOf(kernel, several),
      })),
      colours,
    ),
    ...(rest.length === 0
      ? []
      : [
          `  and ${countOf(rest.length, "kernel")} with ${formatValue(restShare, "share")} of the time`,
        ]),
    ...wrapIndented(
      `measured, ${samplesOf(kernels[0]?.callMs ?? { samples: 0 })}; time is of the model's kernels, a call is on ` +
        "the GPU's clock. The bound is the longer of FLOPs at the calibrated peak and bytes at the calibrated " +
        "bandwidth, each input read once: in caches are operands that pass it, ranks that share an adapter stay " +
        "below their part of it.",
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

const shaderOf = ({ form, kernel }: KernelMetrics): string => form?.split(" ", 1)[0] ?? kernel;

/** The rate that the bound is about. */
const reachedOf = ({ bound, flopsPerSecond, bytesPerSecond }: KernelMetrics): string =>
  formatFigure(bound?.by === "memory" ? bytesPerSecond : (flopsPerSecond ?? bytesPerSecond));

const noteOf = ({ shape, dtype, bound, adapter }: KernelMetrics, several: boolean): string => {
  const sizes = Object.entries(shape)
    .filter(
      ([, value]) => Number.isInteger(value) || (typeof value === "string" && value !== "none"),
    )
    .map(([name, value]) => `${name} ${String(value)}`);
  const place = several ? ` on ${adapter}` : "";
  return `${sizes.join(", ")}, ${dtype}${place}; ${bound === undefined ? "not calibrated" : boundOf(bound)}`;
};

const shareOf = ({ reached, inCaches }: NonNullable<KernelMetrics["bound"]>) =>
  boundShareCells(reached, inCaches === true);

const boundOf = (bound: NonNullable<KernelMetrics["bound"]>): string => {
  const [, interval] = shareOf(bound);
  const what = bound.by === "memory" ? "memory" : `${bound.arithmetic} arithmetic`;
  return interval === "" ? `bound by ${what}` : `bound by ${what}, ${interval}`;
};
