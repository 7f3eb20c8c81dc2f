// What every percentage of a peak in a run's report rests on.

import { memoryCeiling, ridgePoint, type Ceiling, type Ceilings } from "../../measure/ceiling.ts";
import {
  countOf,
  formatFigure,
  formatNumber,
  formatPercent,
  formatValue,
} from "../../measure/format.ts";
import type { KernelMetrics } from "../../measure/metrics.ts";
import type { Arithmetic } from "../../measure/roofline.ts";
import type { AdapterCalibration } from "../../result/result.ts";

/** Without a full stop. */
export function peaksSentence(
  calibration: AdapterCalibration,
  dtype: string,
  kernels: readonly KernelMetrics[],
): string {
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
  return `peaks of ${adapter}, ${source}: ${parts.join("; ")}; best runs, results checked`;
}

function described({ figure, variant }: Ceiling): string {
  const { unit, interval, samples } = figure;
  const median = interval === undefined ? "" : `, median ${formatValue(interval[0], unit)}`;
  return `${formatFigure(figure)} (${variant.replace("calibration/", "")}, ${countOf(samples, "run")}${median})`;
}

/** FLOP per byte. */
export function ridgeOf(ceilings: Ceilings): number | undefined {
  const memory = memoryCeiling(ceilings);
  return ceilings.f32 === undefined || memory === undefined
    ? undefined
    : ridgePoint(ceilings.f32, memory);
}
