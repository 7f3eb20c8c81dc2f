// An adapter's ceilings, all of them.

import type { Ceiling, Ceilings } from "../measure/ceiling.ts";
import type { Figure } from "../measure/figure.ts";
import { countOf, formatFigure, formatNumber, formatValue } from "../measure/format.ts";
import type { CalibratedAdapter } from "../result/calibrated_adapter.ts";
import type { AdapterCalibration } from "../result/result.ts";
import { gap, left, note, right, table, type Report, type Table } from "./section.ts";
import { outcomeSection } from "./sections/outcome.ts";
import { ridgeOf } from "./sections/peaks.ts";

const rates = [
  ["multiply-add f32", "f32"],
  ["multiply-add f16", "f16"],
  ["subgroup matrix", "matrix"],
  ["storage read", "read"],
  ["storage write", "write"],
  ["storage copy", "copy"],
  ["workgroup read", "workgroup"],
  ["buffer copy", "bufferCopy"],
  ["upload", "upload"],
  ["readback", "readback"],
] as const;

const costs = [
  ["dispatch, on the GPU", "dispatch"],
  ["dispatch, encoding", "encode"],
  ["submission", "submit"],
  ["submit and map", "roundTrip"],
] as const;

export function calibrationReport({
  adapter,
  versions,
  calibration,
  outcome,
}: CalibratedAdapter): Report {
  const { ceilings } = calibration;
  const kind = adapter.software ? "software" : "hardware";
  return {
    title: [{ text: adapter.id, tone: "strong" }, `  ${adapter.name}, ${kind}`],
    intro: [
      ceilingTable(["ceiling", "best run", "median"], rates, ceilings),
      gap,
      ceilingTable(["cost", "median", "95 % within"], costs, ceilings),
      gap,
      note(summary(calibration), "plain"),
      note(`${adapter.driver}; shardbench ${versions.shardbench}, webgpu ${versions.webgpu}`),
    ],
    sections: [outcomeSection(outcome, `${countOf(Object.keys(ceilings).length, "ceiling")} kept`)],
  };
}

function ceilingTable(
  [what, value, interval]: readonly [what: string, value: string, interval: string],
  named: readonly (readonly [title: string, name: keyof Ceilings])[],
  ceilings: Ceilings,
): Table {
  return table(
    [...left(what), ...right(value, interval, "runs"), ...left("variant")],
    named.flatMap(([title, name]) => {
      const ceiling = ceilings[name];
      return ceiling === undefined ? [] : [{ cells: [title, ...cellsOf(ceiling)] }];
    }),
  );
}

function cellsOf({ figure, variant }: Ceiling): string[] {
  return [
    figure.unit === "ms" ? microseconds(figure.value) : formatFigure(figure),
    withinOf(figure),
    String(figure.samples),
    variant.replace("calibration/", ""),
  ];
}

/** The upper end of a rate's interval is the rate itself. */
function withinOf({ unit, interval }: Figure): string {
  if (interval === undefined) return "–";
  const [low, high] = interval;
  return unit === "ms"
    ? `${formatNumber(low * 1000)} … ${microseconds(high)}`
    : formatValue(low, unit);
}

function microseconds(ms: number): string {
  return `${formatNumber(ms * 1000)} µs`;
}

function summary({ date, tookMs, ceilings }: AdapterCalibration): string {
  const ridge = ridgeOf(ceilings);
  return [
    `Measured on ${date} in ${formatNumber(tookMs / 1000)} s, results checked.`,
    ...(ridge === undefined
      ? []
      : [
          `Kernels with less than ${formatNumber(ridge)} FLOP per byte are bound by memory in f32.`,
        ]),
  ].join(" ");
}
