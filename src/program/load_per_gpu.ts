// How heavily a plan loads each GPU.

import { type GpuList, gpuListsOf } from "../plan/layers.ts";
import type { Plan } from "../plan/plan.ts";
import type { Estimate } from "./estimate.ts";

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

/** A GPU of light load that does more FLOPs than one of medium load, if any. */
export function outdoneByFlops(loads: readonly GpuLoad[]): GpuLoad | undefined {
  const medium = loads.filter(({ label }) => label === "medium");
  const least = medium.reduce((share, { flopsShare }) => Math.min(share, flopsShare), Infinity);
  return loads.find(({ label, flopsShare }) => label === "light" && flopsShare > least);
}

/**
 * Arithmetic decides who is heavy. Among the others it is the number of layers a GPU takes part in that
 * tells light from medium: each brings its dispatches and its hand-over, however small its arithmetic.
 */
export function loadPerGpu(plan: Plan, { ranks }: Pick<Estimate, "ranks">): GpuLoad[] {
  const count = Math.max(1, ranks.length);
  const totalFlops = ranks.reduce((sum, { flops }) => sum + flops, 0);
  const layersOf = layersPerGpu(plan, ranks.length);
  const averageLayers = layersOf.reduce((sum, { length }) => sum + length, 0) / count;
  const label = (flops: number, layers: number): LoadLabel => {
    if (layers === 0) return "idle";
    if (flops * count * 3 > totalFlops * 4) return "heavy";
    return layers * 4 < averageLayers * 3 ? "light" : "medium";
  };
  return ranks.map(({ rank, flops }) => {
    const layers = layersOf[rank] ?? [];
    return {
      gpu: rank,
      flopsShare: totalFlops === 0 ? 0 : flops / totalFlops,
      label: label(flops, layers.length),
      layers,
    };
  });
}

/** Names of the layers that each GPU takes part in. GPUs with the same layers share one list, for they may be many. */
function layersPerGpu({ stages }: Plan, gpus: number): (readonly string[])[] {
  const names = Array.from({ length: gpus }, (): readonly string[] => []);
  for (const stage of stages) {
    // Layers share their lists of GPUs: each list is gone through once.
    const lists = new Map<GpuList, number>();
    for (const list of stage.layers.flatMap(gpuListsOf)) {
      if (!lists.has(list)) lists.set(list, lists.size);
    }
    const keys = new Map<number, string>();
    for (const [list, at] of lists) {
      for (const gpu of new Set(list.flat(2))) keys.set(gpu, `${keys.get(gpu) ?? ""}/${at}/`);
    }
    const own = new Map<string, readonly string[]>();
    const namesOf = (key: string): readonly string[] => {
      const known =
        own.get(key) ??
        stage.layers
          .filter((layer) => gpuListsOf(layer).some((list) => key.includes(`/${lists.get(list)}/`)))
          .map((layer) => `${stage.name}/${layer.name}`);
      own.set(key, known);
      return known;
    };
    for (const [gpu, key] of keys) {
      const before = names[gpu];
      if (before !== undefined) {
        names[gpu] = before.length === 0 ? namesOf(key) : [...before, ...namesOf(key)];
      }
    }
  }
  return names;
}
