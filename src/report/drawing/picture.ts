// A plan as a picture for the terminal: GPUs side by side, time from top to bottom, a box per shard and
// an arrow per communication.

import type { CollectiveEstimate } from "../../program/estimate.ts";
import type { DescribedBlock, StageDescription, DescribedStep } from "../../program/describe.ts";
import { busLines, type Anchor } from "./picture_bus.ts";
import { rangesOf } from "../../program/runs_of_ranks.ts";
import { LINE_WIDTH } from "../render/table.ts";
import { padEnd, shortened, widthOf } from "../render/text_width.ts";

/** GPUs that the picture shows as one: alone, or all that take part in the same steps. */
export interface PictureColumn {
  readonly gpus: readonly number[];
  /** Under the GPUs' numbers, such as `heavy 50.0 %`. */
  readonly load: string;
}

/** Where stages and operations are named. */
const GUTTER = 18;
const GAP = 1;
const WIDEST_BOX = 30;
/** More columns than this have no room for words. */
export const mostColumns = 4;

interface Canvas {
  readonly columns: readonly PictureColumn[];
  readonly columnOf: ReadonlyMap<number, number>;
  readonly boxWidth: number;
}

/** @param columns 1 to `mostColumns` of them, each GPU in one */
export function picture(
  stages: readonly StageDescription[],
  columns: readonly PictureColumn[],
): string[] {
  const room = Math.floor((LINE_WIDTH - GUTTER) / columns.length) - GAP;
  const canvas: Canvas = {
    columns,
    columnOf: new Map(columns.flatMap(({ gpus }, at) => gpus.map((gpu) => [gpu, at]))),
    boxWidth: Math.min(WIDEST_BOX, room),
  };
  return [
    row(canvas, "", (at) => centred(gpusTitle(columns[at]?.gpus ?? []), canvas.boxWidth)),
    row(canvas, "", (at) => centred(columns[at]?.load ?? "", canvas.boxWidth)),
    ...stages.flatMap((stage) => stageLines(canvas, stage)),
  ].map((line) => line.trimEnd());
}

function gpusTitle(gpus: readonly number[]): string {
  return `GPU${gpus.length === 1 ? "" : "s"} ${rangesOf(gpus)}`;
}

function stageLines(canvas: Canvas, { name, blocks, leaving }: StageDescription): string[] {
  return [
    shortened(name, LINE_WIDTH),
    ...blocks.flatMap((block, i) =>
      blockLines(canvas, block, i < blocks.length - 1 ? [] : leaving),
    ),
  ];
}

function blockLines(
  canvas: Canvas,
  { times, steps }: DescribedBlock,
  leaving: readonly CollectiveEstimate[],
): string[] {
  const out = leaving.flatMap((flow) => flowLines(canvas, flow));
  if (times > 1) {
    return [
      `┌ ${times} times`,
      ...steps.flatMap((step) => stepLines(canvas, step, step.flows)),
      `└ ${times} times`,
      ...out,
    ];
  }
  return steps.flatMap((step, i) =>
    stepLines(canvas, step, [...step.flows, ...(i === steps.length - 1 ? leaving : [])]),
  );
}

function stepLines(
  canvas: Canvas,
  { title, detail, shards, besides }: DescribedStep,
  flows: readonly CollectiveEstimate[],
): string[] {
  const { columns, columnOf, boxWidth } = canvas;
  const textAt = new Map<number, string>();
  for (const { gpu, text, whole } of shards) {
    const at = columnOf.get(gpu);
    if (at === undefined) continue;
    textAt.set(at, (columns[at]?.gpus.length ?? 0) > 1 ? whole : text);
  }
  const inner = boxWidth - 2;
  const has = (at: number): boolean => textAt.has(at);
  const senders = new Set(
    (flows[0]?.groups ?? []).flatMap(({ from }) => from.flatMap((gpu) => columnOf.get(gpu) ?? [])),
  );
  const bottom = (at: number): string => {
    const line = "─".repeat(inner);
    if (!senders.has(at)) return `└${line}┘`;
    const middle = centreOf(boxWidth) - 1;
    return `└${line.slice(0, middle)}┬${line.slice(middle + 1)}┘`;
  };
  const aside = besides.length === 0 ? "" : `+ ${counted(besides)}`;
  return [
    row(canvas, "", (at) => (has(at) ? `┌${"─".repeat(inner)}┐` : "")),
    row(canvas, ` ${title}`, (at) =>
      has(at) ? `│${centred(shortened(textAt.get(at) ?? "", inner), inner)}│` : "",
    ),
    row(canvas, ` ${detail}`, (at) => (has(at) ? bottom(at) : "")),
    ...(aside === "" ? [] : [aside]).map((text) =>
      row(canvas, ` ${text}`, (at) => stem(canvas, at, senders)),
    ),
    ...flows.flatMap((flow) => flowLines(canvas, flow)),
  ];
}

/** The line that leads from a box down to its communication. */
function stem({ boxWidth }: Canvas, at: number, senders: ReadonlySet<number>): string {
  return senders.has(at) ? `${" ".repeat(centreOf(boxWidth))}│` : "";
}

function counted(ops: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => (count === 1 ? op : `${count} ${op}s`)).join(", ");
}

function flowLines(canvas: Canvas, flow: CollectiveEstimate): string[] {
  const anchors = flow.groups.map(({ from, to }): Anchor => ({
    from: columnsOf(canvas, from),
    to: columnsOf(canvas, to),
  }));
  const { boxWidth, columns } = canvas;
  const at = (column: number): number => column * (boxWidth + GAP) + centreOf(boxWidth);
  const { bus, arrows } = busLines(anchors, at, columns.length);
  const groups = flow.instances === 1 ? "" : `in ${flow.instances} groups`;
  return [gutter(` ${flow.op}`) + bus, gutter(` ${flow.name ?? groups}`) + arrows];
}

function columnsOf({ columnOf }: Canvas, ranks: readonly number[]): number[] {
  return [...new Set(ranks.flatMap((rank) => columnOf.get(rank) ?? []))];
}

function gutter(text: string): string {
  return padEnd(shortened(text, GUTTER - 1), GUTTER);
}

function row({ columns, boxWidth }: Canvas, label: string, cell: (at: number) => string): string {
  return (
    gutter(label) +
    columns.map((_, at) => padEnd(shortened(cell(at), boxWidth), boxWidth + GAP)).join("")
  );
}

function centreOf(width: number): number {
  return Math.floor(width / 2);
}

function centred(text: string, width: number): string {
  const short = shortened(text, width);
  return padEnd(" ".repeat(Math.floor((width - widthOf(short)) / 2)) + short, width);
}
