// The hardware of a plan: figures as the plan gives them, else as the datasheet of the GPU that it names.

import { gpuNamed } from "./gpu_names.ts";
import type { Gpu } from "./gpus.ts";
import type { Hardware, HardwareFigure, Precision } from "./plan.ts";
import { parseBandwidth, parseBytes, parseFlops } from "./quantity.ts";
import type { PlanFile } from "./schema.ts";

type Figures = Partial<Record<HardwareFigure, number>>;

export function hardwareOf(file: PlanFile["hardware"], dtype: Precision): Hardware {
  const { gpu: written } = file;
  const maxBinding = numberOf(file.maxBinding, parseBytes);
  const common = { gpus: file.gpus, ...(maxBinding === undefined ? {} : { maxBinding }) };
  const given = figuresGiven(file);
  if (written === undefined) return { ...common, ...given, ...sourcesOf(given) };
  const named = gpuNamed(written);
  // A rule says what is wrong with the name.
  if (!("gpu" in named)) return { ...common, gpu: written, ...given, ...sourcesOf(given) };
  const printed = figuresOf(named.gpu, dtype);
  return {
    ...common,
    gpu: named.gpu.name,
    ...printed,
    ...given,
    ...sourcesOf(given, printed, named.gpu.datasheet),
  };
}

/** Whether a figure is a datasheet's, of the GPU that the plan names, and not the plan's own. */
export function isPrinted({ sources }: Hardware, figure: HardwareFigure): boolean {
  return (sources?.[figure] ?? "plan") !== "plan";
}

function figuresGiven(file: PlanFile["hardware"]): Figures {
  return withoutAbsent({
    memoryPerGpu: numberOf(file.memoryPerGpu, parseBytes),
    peakFlops: numberOf(file.peakFlops, parseFlops),
    memoryBandwidth: numberOf(file.memoryBandwidth, parseBandwidth),
    linkBandwidth: numberOf(file.linkBandwidth, parseBandwidth),
  });
}

function figuresOf({ teraflops, memoryGB, memoryGBs, link }: Gpu, dtype: Precision): Figures {
  return withoutAbsent({
    memoryPerGpu: times(memoryGB, 1e9),
    peakFlops: times(teraflops?.[dtype], 1e12),
    memoryBandwidth: times(memoryGBs, 1e9),
    linkBandwidth: times(link?.perDirectionGBs, 1e9),
  });
}

function sourcesOf(
  given: Figures,
  printed: Figures = {},
  datasheet = "",
): Pick<Hardware, "sources"> {
  const sources = {
    ...Object.fromEntries(Object.keys(printed).map((key) => [key, datasheet])),
    ...Object.fromEntries(Object.keys(given).map((key) => [key, "plan"])),
  };
  return Object.keys(sources).length === 0 ? {} : { sources };
}

/** The number of a quantity; the schema has already refused texts that are none. */
function numberOf(
  value: number | string | undefined,
  read: (text: string) => number | undefined,
): number | undefined {
  return typeof value === "string" ? (read(value) ?? 0) : value;
}

/** Figures as printed, not as binary fractions multiply: 989.4 × 1e12 is 989400000000000. */
function times(printed: number | undefined, unit: number): number | undefined {
  return printed === undefined ? undefined : Math.round(printed * unit);
}

function withoutAbsent(figures: Record<HardwareFigure, number | undefined>): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}
