// What each GPU of a plan has to do and to hold.

import { formatBytes, formatPercent } from "../../measure/format.ts";
import type { Described } from "../../program/describe_plan.ts";
import { loadRule, type GpuLoad } from "../../program/load_per_gpu.ts";
import { rangeOf, runsOfRanks } from "../../program/runs_of_ranks.ts";
import { left, note, right, table, type Section } from "../section.ts";
import { moreLines } from "./more_lines.ts";

const mostLines = 16;

export function gpuLoadSection({ plan, load, estimate }: Described): Section {
  const capacity = plan.hardware.memoryPerGpu;
  const memory = new Map(estimate.ranks.map(({ rank, memoryBytes }) => [rank, memoryBytes]));
  const cells = (each: GpuLoad): string[] => {
    const bytes = memory.get(each.gpu) ?? 0;
    return [
      formatPercent(each.flopsShare),
      each.label,
      formatBytes(bytes),
      ...(capacity === undefined ? [] : [formatPercent(bytes / capacity)]),
      layersOf(each.layers),
    ];
  };
  const items = load.map((each) => ({ ...each, rank: each.gpu }));
  const runs = runsOfRanks(items, (each) => cells(each).join());
  return {
    title: "Load",
    blocks: [
      table(
        [
          ...right("GPU", "FLOPs each"),
          ...left("load"),
          ...right("memory", ...(capacity === undefined ? [] : ["of it"])),
          ...left("layers"),
        ],
        runs.slice(0, mostLines).map((run) => ({ cells: [rangeOf(run), ...cells(run.item)] })),
      ),
      note(`estimated; ${loadRule}${moreLines(runs.length, mostLines)}`),
    ],
  };
}

function layersOf(layers: readonly string[]): string {
  if (layers.length <= 2) return layers.join(", ");
  const stages = new Set(layers.map((layer) => layer.slice(0, layer.lastIndexOf("/"))));
  return `${layers.length} in ${[...stages].join(", ")}`;
}
