// How heavily a plan loads each GPU.

import { costPerGpu } from "./cost.ts";
import type { PlacedLayer } from "./layers.ts";
import type { Plan } from "./plan.ts";

export type LoadLabel = "idle" | "light" | "medium" | "heavy";

export interface GpuLoad {
  readonly gpu: number;
  /** Share of the plan's FLOPs, 0 … 1. */
  readonly flopsShare: number;
  readonly label: LoadLabel;
  /** `<stage>/<index>.<op>` of every layer it takes part in. */
  readonly layers: readonly string[];
}

/** The rule behind the labels, for reports. */
export const loadRule =
  "heavy: more than 4/3 of the average FLOPs; else light: part in fewer than 3/4 of the average number " +
  "of layers; else medium";

/**
 * Arithmetic decides who is heavy. Among the others it is the number of layers a GPU takes part in that
 * tells light from medium: each brings its dispatches and its hand-over, however small its arithmetic.
 */
export const loadPerGpu = (plan: Plan): GpuLoad[] => {
  const costs = costPerGpu(plan);
  const count = Math.max(1, costs.length);
  const totalFlops = costs.reduce((sum, { flops }) => sum + flops, 0);
  const averageLayers = costs.reduce((sum, { layers }) => sum + layers.length, 0) / count;
  const label = (flops: number, layers: number): LoadLabel => {
    if (layers === 0) return "idle";
    if (flops * count * 3 > totalFlops * 4) return "heavy";
    return layers * 4 < averageLayers * 3 ? "light" : "medium";
  };
  // GPUs of a stage have the same layers, and may be many.
  const names = new Map<PlacedLayer, string>();
  const nameOf = (placed: PlacedLayer): string => {
    const known = names.get(placed);
    if (known !== undefined) return known;
    const name = `${placed.stage.name}/${placed.layer.name}`;
    names.set(placed, name);
    return name;
  };
  return costs.map(({ gpu, flops, layers }) => ({
    gpu,
    flopsShare: totalFlops === 0 ? 0 : flops / totalFlops,
    label: label(flops, layers.length),
    layers: layers.map(nameOf),
  }));
};
