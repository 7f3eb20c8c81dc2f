// Who does what, on a terminal: a picture and the tables that go with it.

import type { GpuLoad } from "../program/load_per_gpu.ts";
import { loadRule } from "../program/load_per_gpu.ts";
import type { StageDescription } from "../program/describe.ts";
import type { CollectiveEstimate } from "../program/estimate.ts";
import type { Described } from "../program/describe_plan.ts";
import { plain, type Colours } from "./colour.ts";
import { formatBytes, formatNumber, formatPercent } from "../measure/format.ts";
import { groupBy } from "../group_by.ts";
import { mostColumns, picture, type PictureColumn } from "./picture.ts";
import { hardwareLines } from "./hardware_table.ts";
import { planLine } from "./run_header.ts";
import { rangesOf, rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { stageList } from "./stage_list.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

const mostLines = 16;

export const describeReport = (described: Described, colours: Colours = plain): string[] => [
  ...wrap(planLine(described.plan), LINE_WIDTH).map(colours.strong),
  "",
  ...hardwareLines(described.plan, colours),
  ...pictureLines(described),
  "",
  ...loadLines(described, colours),
  "",
  ...flowLines(described.estimate.collectives, colours),
];

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

const loadLines = ({ plan, load, estimate }: Described, colours: Colours): string[] => {
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
  return [
    colours.strong("Load"),
    ...table(
      [
        { title: "GPU" },
        { title: "FLOPs each" },
        { title: "load", align: "left" },
        { title: "memory" },
        ...(capacity === undefined ? [] : [{ title: "of it" }]),
        { title: "layers", align: "left" },
      ],
      runs.slice(0, mostLines).map((run) => ({ cells: [rangeOf(run), ...cells(run.item)] })),
      colours,
    ),
    ...wrapIndented(
      `estimated; ${loadRule}` +
        (runs.length > mostLines ? `; ${runs.length - mostLines} more lines, see --json` : ""),
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

const layersOf = (layers: readonly string[]): string => {
  if (layers.length <= 2) return layers.join(", ");
  const stages = new Set(layers.map((layer) => layer.slice(0, layer.lastIndexOf("/"))));
  return `${layers.length} in ${[...stages].join(", ")}`;
};

const flowLines = (collectives: readonly CollectiveEstimate[], colours: Colours): string[] => {
  if (collectives.length === 0) return ["No GPU waits for another: nothing is communicated."];
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
  return [
    colours.strong("Communication"),
    ...table(
      [
        { title: "operation", align: "left" },
        { title: "of", align: "left" },
        { title: "GPUs", align: "left" },
        { title: "groups" },
        { title: "calls" },
        { title: "bytes" },
      ],
      rows.slice(0, mostLines),
      colours,
    ),
    ...wrapIndented(
      "estimated, per step; GPUs: the first group; bytes: what arrives at other GPUs" +
        (rows.length > mostLines ? `; ${rows.length - mostLines} more lines, see --json` : ""),
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

const whatOf = (alike: readonly CollectiveEstimate[]): string => {
  const [first] = alike;
  if (first?.name !== undefined) return first.name;
  if (alike.length === 1) return first?.layer ?? "";
  const ops = new Set(alike.map(({ layer }) => layer.slice(layer.lastIndexOf(".") + 1)));
  return `${alike.length} layers: ${[...ops].join(", ")}`;
};

export const listOf = (gpus: readonly number[]): string => `[${rangesOf(gpus)}]`;
