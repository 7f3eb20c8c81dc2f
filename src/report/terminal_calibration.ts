// An adapter's ceilings on a terminal: all of them for `calibrate`, those that a run rests on in its report.

import type { Figure } from "../measure/figure.ts";
import { memoryCeiling, ridgePoint, type Ceiling, type Ceilings } from "../measure/ceiling.ts";
import type { KernelMetrics } from "../measure/metrics.ts";
import type { Arithmetic } from "../measure/roofline.ts";
import type { Colours } from "./colour.ts";
import {
  countOf,
  formatFigure,
  formatNumber,
  formatPercent,
  formatValue,
} from "../measure/format.ts";
import type { CalibratedAdapter } from "../result/calibrated_adapter.ts";
import type { AdapterCalibration } from "../result/result.ts";
import { endLines } from "./outcome_lines.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

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

export const calibrationReport = (
  { adapter, versions, calibration, outcome }: CalibratedAdapter,
  colours: Colours,
): string[] => {
  const { ceilings } = calibration;
  const rows = (
    named: readonly (readonly [string, keyof Ceilings])[],
  ): { readonly cells: readonly string[] }[] =>
    named.flatMap(([title, name]) => {
      const ceiling = ceilings[name];
      return ceiling === undefined ? [] : [{ cells: [title, ...cellsOf(ceiling)] }];
    });
  const kind = adapter.software ? "software" : "hardware";
  return [
    `${colours.strong(adapter.id)}  ${adapter.name}, ${kind}`,
    ...table(columns("ceiling", "best run", "median"), rows(rates), colours),
    "",
    ...table(columns("cost", "median", "95 % within"), rows(costs), colours),
    "",
    ...wrapIndented(summary(calibration), LINE_WIDTH, 2),
    ...wrapIndented(
      `${adapter.driver}; shardbench ${versions.shardbench}, webgpu ${versions.webgpu}`,
      LINE_WIDTH,
      2,
    ).map(colours.faint),
    ...endLines(outcome, `${countOf(Object.keys(ceilings).length, "ceiling")} kept`, colours),
  ];
};

const columns = (title: string, value: string, interval: string) => [
  { title, align: "left" as const },
  { title: value },
  { title: interval },
  { title: "runs" },
  { title: "form", align: "left" as const },
];

const cellsOf = ({ figure, form }: Ceiling): string[] => [
  figure.unit === "ms" ? microseconds(figure.value) : formatFigure(figure),
  withinOf(figure),
  String(figure.samples),
  form.replace("calibration/", ""),
];

/** The upper end of a rate's interval is the rate itself. */
const withinOf = ({ unit, interval }: Figure): string => {
  if (interval === undefined) return "–";
  const [low, high] = interval;
  return unit === "ms"
    ? `${formatNumber(low * 1000)} … ${microseconds(high)}`
    : formatValue(low, unit);
};

const microseconds = (ms: number): string => `${formatNumber(ms * 1000)} µs`;

const summary = ({ date, tookMs, ceilings }: AdapterCalibration): string => {
  const ridge = ridgeOf(ceilings);
  return [
    `Measured on ${date} in ${formatNumber(tookMs / 1000)} s, results checked.`,
    ...(ridge === undefined
      ? []
      : [
          `Kernels with less than ${formatNumber(ridge)} FLOP per byte are bound by memory in f32.`,
        ]),
  ].join(" ");
};

const ridgeOf = (ceilings: Ceilings): number | undefined => {
  const memory = memoryCeiling(ceilings);
  return ceilings.f32 === undefined || memory === undefined
    ? undefined
    : ridgePoint(ceilings.f32, memory);
};

/** What every percentage of a peak in a run's report rests on. */
export const peakLines = (
  calibration: AdapterCalibration,
  dtype: string,
  kernels: readonly KernelMetrics[],
): string[] => {
  const { adapter, ceilings, cached, date } = calibration;
  const memory = memoryCeiling(ceilings);
  const ridge = ridgeOf(ceilings);
  const used = kernels.flatMap(({ bound }) => bound?.arithmetic ?? []);
  const arithmetics = [...new Set<Arithmetic>(["f32", ...used])];
  const isStorageOnly = dtype === "f16" && arithmetics.length === 1;
  const source =
    cached === undefined
      ? "measured in this run, alone on the adapter"
      : `kept from ${date}; now ${formatPercent(cached.f32)} and ${formatPercent(cached.copy)} of it`;
  const parts = [
    ...arithmetics.flatMap((name) => {
      const ceiling = ceilings[name];
      const note = name === "f32" && isStorageOnly ? ", which f16 storage computes in" : "";
      return ceiling === undefined ? [] : [`${name} ${described(ceiling)}${note}`];
    }),
    ...(memory === undefined ? [] : [`memory ${described(memory)}`]),
    ...(ridge === undefined ? [] : [`ridge at ${formatNumber(ridge)} FLOP/B`]),
  ];
  return wrapIndented(
    `peaks of ${adapter}, ${source}: ${parts.join("; ")}; best runs, results checked`,
    LINE_WIDTH,
    2,
  );
};

const described = ({ figure, form }: Ceiling): string => {
  const { unit, interval, samples } = figure;
  const median = interval === undefined ? "" : `, median ${formatValue(interval[0], unit)}`;
  return `${formatFigure(figure)} (${form.replace("calibration/", "")}, ${countOf(samples, "run")}${median})`;
};
