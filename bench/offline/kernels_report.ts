// What the kernels reached, as Markdown.

import { formatNumber } from "../../src/measure/format.ts";
import { median } from "../../src/measure/statistics.ts";
import type { CaseFigures, VariantFigures } from "../measure_case.ts";
import { markdownTable } from "./markdown.ts";
import { labelOf } from "./numerics_report.ts";
import { readRecords } from "./records.ts";

export type KernelRecord =
  | {
      readonly kind: "case";
      readonly kernel: string;
      readonly shape: object;
      readonly dtype: string;
      readonly figures: CaseFigures;
    }
  | { readonly kind: "failed"; readonly name: string; readonly message: string }
  /** Time was over before these. */
  | { readonly kind: "left"; readonly cases: number };

export function kernelSections(printed: string): string[] {
  const records = readRecords<KernelRecord>(printed);
  const failed = records.flatMap((one) =>
    one.kind === "failed" ? [`- ${one.name} failed: ${one.message.split("\n")[0]}`] : [],
  );
  const left = records.reduce((sum, one) => sum + (one.kind === "left" ? one.cases : 0), 0);
  return [
    "Each row: the variant selected untuned, then the one that tuning prefers where that is another. Results are",
    "checked before anything is timed. %: of the least time that the f32 multiply-add or the copy kernel,",
    "which takes turns with it, would need for the same FLOPs or bytes; matrix units may exceed 100. On a",
    "software adapter a second of these rates is one of CPU time.",
    "",
    ...markdownTable(
      ["case", "variant", "GPU ms", "TFLOP/s", "GB/s", "bound", "%", "95 % within"],
      records.flatMap((one) =>
        one.kind === "case"
          ? one.figures.variants.map((variant) => [
              one.figures.name,
              ...cellsOf(one.figures, variant),
            ])
          : [],
      ),
    ),
    "",
    ...failed,
    ...(left === 0 ? [] : [`${left} cases were left out, for time was over.`]),
  ];
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function cellsOf({ bound }: CaseFigures, variant: VariantFigures): string[] {
  const label = `${variant.tuned ? "tuned: " : ""}${labelOf(variant.variant.name, variant.variant.constants)}`;
  if (variant.wrong !== undefined) return [label, `WRONG: ${variant.wrong}`];
  const times = variant.samples.flatMap(({ gpuMs }) => (gpuMs === undefined ? [] : [gpuMs]));
  return [
    label,
    times.length === 0 ? "" : formatNumber(median(times)),
    variant.flopsPerSecond === undefined ? "" : formatNumber(variant.flopsPerSecond / 1e12),
    variant.bytesPerSecond === undefined ? "" : formatNumber(variant.bytesPerSecond / 1e9),
    bound,
    variant.share === undefined ? "" : percent(variant.share),
    variant.shareInterval === undefined ? "" : variant.shareInterval.map(percent).join(" … "),
  ];
}

/** The fastest correct variant of a case. */
export function bestOf(printed: string, name: string): VariantFigures | undefined {
  return readRecords<KernelRecord>(printed)
    .flatMap((one) =>
      one.kind === "case" && one.figures.name === name ? one.figures.variants : [],
    )
    .toSorted((a, b) => (b.flopsPerSecond ?? 0) - (a.flopsPerSecond ?? 0))[0];
}
