// Who does what: a picture and the tables that go with it.

import type { GpuLoad } from "../program/load_per_gpu.ts";
import { loadRule } from "../program/load_per_gpu.ts";
import type { StageDescription } from "../program/describe.ts";
import type { CollectiveEstimate } from "../program/estimate.ts";
import type { Described } from "../program/describe_plan.ts";
import { formatBytes, formatNumber, formatPercent } from "../measure/format.ts";
import { groupBy } from "../group_by.ts";
import { mostColumns, picture, type PictureColumn } from "./picture.ts";
import { rangesOf, rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { stageList } from "./stage_list.ts";
import {
  left,
  note,
  paragraph,
  right,
  table,
  verbatim,
  type Report,
  type Section,
} from "./section.ts";
import { hardwareSection } from "./sections/hardware.ts";
import { planLine } from "./sections/plan_line.ts";

const mostLines = 16;

export function describeReport(described: Described): Report {
  return {
    title: [planLine(described.plan)],
    sections: [
      hardwareSection(described.plan),
      { blocks: [verbatim(pictureLines(described))] },
      loadSection(described),
      flowSection(described.estimate.collectives),
    ],
  };
}

/** Side by side where there is room; else stage after stage. */
export const pictureLines = ({ stages, load }: Described): string[] => {
  const columns = columnsOf(stages, load);
  return columns === undefined ? stageList(stages, load) : picture(stages, columns);
};

/** A column per GPU, or per kind of GPU; undefined where even those are too many. */
const columnsOf = (
  stages: readonly StageDescription[],
  load: readonly GpuLoad[],
): PictureColumn[] | undefined => {
  const column = (gpus: readonly GpuLoad[]): PictureColumn => {
    const [first] = gpus;
    const labels = [...new Set(gpus.map(({ label }) => label))];
    const share = formatPercent(gpus.reduce((sum, { flopsShare }) => sum + flopsShare, 0));
    return {
      gpus: gpus.map(({ gpu }) => gpu),
      load: first === undefined ? "" : `${labels.join("/")} ${share}`,
    };
  };
  if (load.length <= mostColumns) return load.map((each) => column([each]));
  const stepsOf = new Map<number, string>();
  for (const [s, { blocks }] of stages.entries()) {
    for (const [i, step] of blocks.flatMap(({ steps }) => steps).entries()) {
      for (const gpu of new Set(step.shards.map((shard) => shard.gpu))) {
        stepsOf.set(gpu, `${stepsOf.get(gpu) ?? ""} ${s}.${i}`);
      }
    }
  }
  const kinds = groupBy(load, ({ gpu }) => stepsOf.get(gpu) ?? "");
  return kinds.size > mostColumns ? undefined : [...kinds.values()].map(column);
};

function loadSection({ plan, load, estimate }: Described): Section {
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
      note(`estimated; ${loadRule}${moreOf(runs.length)}`),
    ],
  };
}

function moreOf(lines: number): string {
  return lines > mostLines ? `; ${lines - mostLines} more lines, see --json` : "";
}

const layersOf = (layers: readonly string[]): string => {
  if (layers.length <= 2) return layers.join(", ");
  const stages = new Set(layers.map((layer) => layer.slice(0, layer.lastIndexOf("/"))));
  return `${layers.length} in ${[...stages].join(", ")}`;
};

function flowSection(collectives: readonly CollectiveEstimate[]): Section {
  if (collectives.length === 0) {
    return { blocks: [paragraph("No GPU waits for another: nothing is communicated.")] };
  }
  const kinds = groupBy(
    collectives,
    ({ op, name, groups, instances }) =>
      `${op} ${name ?? ""} ${JSON.stringify(groups[0])} ${instances}`,
  );
  const rows = [...kinds.values()].map((alike) => {
    const [first] = alike;
    const [group] = first?.groups ?? [];
    return {
      cells: [
        first?.op ?? "",
        whatOf(alike),
        `${listOf(group?.from ?? [])} → ${listOf(group?.to ?? [])}`,
        formatNumber(first?.instances ?? 1),
        formatNumber(alike.reduce((sum, { calls }) => sum + calls, 0)),
        formatBytes(alike.reduce((sum, { wireBytes }) => sum + wireBytes, 0)),
      ],
    };
  });
  return {
    title: "Communication",
    blocks: [
      table(
        [...left("operation", "of", "GPUs"), ...right("groups", "calls", "bytes")],
        rows.slice(0, mostLines),
      ),
      note(
        `estimated, per step; GPUs: the first group; bytes: what arrives at other GPUs${moreOf(rows.length)}`,
      ),
    ],
  };
}

const whatOf = (alike: readonly CollectiveEstimate[]): string => {
  const [first] = alike;
  if (first?.name !== undefined) return first.name;
  if (alike.length === 1) return first?.layer ?? "";
  const ops = new Set(alike.map(({ layer }) => layer.slice(layer.lastIndexOf(".") + 1)));
  return `${alike.length} layers: ${[...ops].join(", ")}`;
};

export const listOf = (gpus: readonly number[]): string => `[${rangesOf(gpus)}]`;
