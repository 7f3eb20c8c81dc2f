// The hardware of a plan: figures as the plan gives them, else as the datasheet of the GPU that it names.

import { gpuNamed } from "./gpu_names.ts";
import type { Gpu } from "./gpus.ts";
import type { Hardware, HardwareFigure, Precision } from "./plan.ts";
import { parseBandwidth, parseBytes, parseFlops } from "./quantity.ts";
import type { PlanFile } from "./schema.ts";

type Figures = Partial<Record<HardwareFigure, number>>;

export const hardwareOf = (file: PlanFile["hardware"], dtype: Precision): Hardware => {
  const { gpus, gpu: written } = file;
  const given = figuresGiven(file);
  if (written === undefined) return { gpus, ...given, ...sourcesOf(given) };
  const named = gpuNamed(written);
  // A rule says what is wrong with the name.
  if (!("gpu" in named)) return { gpus, gpu: written, ...given, ...sourcesOf(given) };
  const printed = figuresOf(named.gpu, dtype);
  return {
    gpus,
    gpu: named.gpu.name,
    ...printed,
    ...given,
    ...sourcesOf(given, printed, named.gpu.datasheet),
  };
};

/** Whether a figure is a datasheet's, of the GPU that the plan names, and not the plan's own. */
export const isPrinted = ({ sources }: Hardware, figure: HardwareFigure): boolean =>
  (sources?.[figure] ?? "plan") !== "plan";

const figuresGiven = (file: PlanFile["hardware"]): Figures =>
  withoutAbsent({
    memoryPerGpu: numberOf(file.memoryPerGpu, parseBytes),
    peakFlops: numberOf(file.peakFlops, parseFlops),
    memoryBandwidth: numberOf(file.memoryBandwidth, parseBandwidth),
    linkBandwidth: numberOf(file.linkBandwidth, parseBandwidth),
  });

const figuresOf = ({ teraflops, memoryGB, memoryGBs, link }: Gpu, dtype: Precision): Figures =>
  withoutAbsent({
    memoryPerGpu: times(memoryGB, 1e9),
    peakFlops: times(teraflops?.[dtype], 1e12),
    memoryBandwidth: times(memoryGBs, 1e9),
    linkBandwidth: times(link?.perDirectionGBs, 1e9),
  });

const sourcesOf = (
  given: Figures,
  printed: Figures = {},
  datasheet = "",
): Pick<Hardware, "sources"> => {
  const sources = {
    ...Object.fromEntries(Object.keys(printed).map((key) => [key, datasheet])),
    ...Object.fromEntries(Object.keys(given).map((key) => [key, "plan"])),
  };
  return Object.keys(sources).length === 0 ? {} : { sources };
};

/** The number of a quantity; the schema has already refused texts that are none. */
const numberOf = (
  value: number | string | undefined,
  read: (text: string) => number | undefined,
): number | undefined => (typeof value === "string" ? (read(value) ?? 0) : value);

/** Figures as printed, not as binary fractions multiply: 989.4 × 1e12 is 989400000000000. */
const times = (printed: number | undefined, unit: number): number | undefined =>
  printed === undefined ? undefined : Math.round(printed * unit);

const withoutAbsent = (figures: Record<HardwareFigure, number | undefined>): Figures =>
  Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
