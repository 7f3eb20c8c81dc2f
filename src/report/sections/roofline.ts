// Each kernel of a run against its adapter's roofline.

import type { KernelMetrics } from "../../measure/metrics.ts";
import { boundShareCells } from "./bound_share.ts";
import {
  countOf,
  formatFigure,
  formatNumber,
  formatValue,
  samplesOf,
} from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Row, type Section } from "../section.ts";

/** More than anyone reads; the result file has all. */
const mostRows = 12;

/** The kernels that took the most time come first. */
export function rooflineSection(
  { metrics, adapters }: RunResult,
  rows: "most" | "all" = "most",
): Section {
  const title = "Kernels against the roofline";
  const kernels = metrics.kernels.toSorted((a, b) => b.share.value - a.share.value);
  if (kernels.length === 0) return { title, blocks: [] };
  const several = new Set(adapters.map(({ id }) => id)).size > 1;
  const shown = rows === "all" ? kernels : kernels.slice(0, mostRows);
  const rest = kernels.slice(shown.length);
  const restShare = rest.reduce((sum, { share }) => sum + share.value, 0);
  return {
    title,
    blocks: [
      table(
        [...left("kernel"), ...right("time", "calls", "a call", "FLOP/B", "reached", "of bound")],
        shown.map((kernel) => rowOf(kernel, several)),
        { columns: [{ title: "shape and bound" }], place: "under its row" },
      ),
      ...(rest.length === 0
        ? []
        : [
            note(
              `and ${countOf(rest.length, "kernel")} with ${formatValue(restShare, "share")} of the time`,
              "plain",
            ),
          ]),
      note(
        `measured, ${samplesOf(kernels[0]?.callMs ?? { samples: 0 })}; time is of the model's kernels, a call is on ` +
          "the GPU's clock. The bound is the longer of FLOPs at the calibrated peak and bytes at the calibrated " +
          "bandwidth, each input read once: in caches are operands that pass it, ranks that share an adapter stay " +
          "below their part of it.",
      ),
    ],
  };
}

function rowOf(kernel: KernelMetrics, several: boolean): Row {
  return {
    cells: [
      shaderOf(kernel),
      formatFigure(kernel.share),
      formatNumber(kernel.uses),
      formatFigure(kernel.callMs),
      kernel.intensity === undefined ? "–" : formatNumber(kernel.intensity),
      reachedOf(kernel),
      kernel.bound === undefined ? "–" : shareOf(kernel.bound)[0],
    ],
    prose: [[shapeAndBound(kernel, several)]],
  };
}

function shaderOf({ variant, kernel }: KernelMetrics): string {
  return variant?.split(" ", 1)[0] ?? kernel;
}

/** The rate that the bound is about. */
function reachedOf({ bound, flopsPerSecond, bytesPerSecond }: KernelMetrics): string {
  return formatFigure(bound?.by === "memory" ? bytesPerSecond : (flopsPerSecond ?? bytesPerSecond));
}

function shapeAndBound({ shape, dtype, bound, adapter }: KernelMetrics, several: boolean): string {
  const sizes = Object.entries(shape)
    .filter(
      ([, value]) => Number.isInteger(value) || (typeof value === "string" && value !== "none"),
    )
    .map(([name, value]) => `${name} ${String(value)}`);
  const place = several ? ` on ${adapter}` : "";
  return `${sizes.join(", ")}, ${dtype}${place}; ${bound === undefined ? "not calibrated" : boundOf(bound)}`;
}

function shareOf({ reached, inCaches }: NonNullable<KernelMetrics["bound"]>) {
  return boundShareCells(reached, inCaches === true);
}

function boundOf(bound: NonNullable<KernelMetrics["bound"]>): string {
  const [, interval] = shareOf(bound);
  const what = bound.by === "memory" ? "memory" : `${bound.arithmetic} arithmetic`;
  return interval === "" ? `bound by ${what}` : `bound by ${what}, ${interval}`;
}
