// What the benches print.

import type { AdapterReport } from "../src/gpu/adapter.ts";
import { median } from "../src/measure/statistics.ts";
import { formatNumber } from "../src/measure/format.ts";
import { renderTable } from "../src/report/render/table.ts";
import type { CaseFigures, VariantFigures } from "./measure_case.ts";

export function figuresTable(
  { choice, device, subgroupSize }: AdapterReport,
  cases: readonly CaseFigures[],
): string {
  const per = choice.software ? "CPU-s" : "s";
  const lanes = subgroupSize === undefined ? "none" : `${subgroupSize.min}–${subgroupSize.max}`;
  const lines = renderTable(
    [
      { title: "f32, checked", align: "left" },
      { title: "GPU ms" },
      { title: `G…/${per}` },
      { title: "bound", align: "left" },
      { title: "%" },
      { title: "95 % within" },
    ],
    cases.flatMap(({ name, bound, variants }) =>
      variants.map((variant, index) =>
        rowOf(index === 0 ? name : `  tuned: ${variant.variant.name}`, bound, variant),
      ),
    ),
  );
  return [
    `${choice.id} (${device}), subgroups ${lanes}`,
    `Bound by multiply-adds (FMA, GFLOP/${per}) or by memory (copy, GB/${per}). %: of the`,
    "best multiply-add or copy kernel, which takes turns with the row's; both are",
    choice.software
      ? "timed by the CPU time of all threads; GPU ms are wall time between timestamps."
      : "timed by the GPU.",
    "A kernel that reads more than it writes may beat a copy.",
    "",
    ...lines,
  ].join("\n");
}

function rowOf(
  name: string,
  bound: CaseFigures["bound"],
  { wrong, samples, flopsPerSecond, bytesPerSecond, share, shareInterval }: VariantFigures,
) {
  const rate = bound === "FMA" ? flopsPerSecond : bytesPerSecond;
  if (wrong !== undefined) return { cells: [name, "WRONG"], note: wrong };
  const gpuTimes = samples.flatMap(({ gpuMs }) => (gpuMs === undefined ? [] : [gpuMs]));
  const percent = (part: number): string => (100 * part).toFixed(1);
  return {
    cells: [
      name,
      gpuTimes.length === 0 ? "" : formatNumber(median(gpuTimes)),
      rate === undefined ? "" : formatNumber(rate / 1e9),
      bound,
      share === undefined ? "" : percent(share),
      shareInterval === undefined ? "" : shareInterval.map(percent).join(" … "),
    ],
  };
}
