// The vendor library's rate, as Markdown.

import { formatNumber } from "../../src/measure/format.ts";
import { readRecords } from "./records.ts";

export type VendorRecord =
  | {
      readonly kind: "rate";
      readonly library: string;
      /** Of the product [size, size] · [size, size]. */
      readonly size: number;
      /** Of one product, by the GPU's events; each the mean over `repeats`. */
      readonly samplesMs: readonly number[];
      readonly repeats: number;
      /** At the median. */
      readonly flopsPerSecond: number;
    }
  | { readonly kind: "not measured"; readonly reason: string };

export function vendorSections(printed: string): string[] {
  return readRecords<VendorRecord>(printed).map((one) =>
    one.kind === "rate"
      ? `- ${one.size}³, f16 in and out, f32 sums: ${formatNumber(one.flopsPerSecond / 1e12)} TFLOP/s ` +
        `(median of ${one.samplesMs.length} samples of ${one.repeats}, checked; ${one.library})`
      : `- not measured: ${one.reason}`,
  );
}

export function vendorRate(printed: string, size: number): number | undefined {
  return readRecords<VendorRecord>(printed).flatMap((one) =>
    one.kind === "rate" && one.size === size ? [one.flopsPerSecond] : [],
  )[0];
}
