// What a plan will cost, on a terminal.

import type { Plan } from "../plan/plan.ts";
import type { CollectiveEstimate, LayerEstimate, PlanEstimate } from "../program/estimate.ts";
import { fullestNeed, type MemoryNeed } from "../program/memory.ts";
import { plain, type Colours } from "./colour.ts";
import {
  countOf,
  formatBytes,
  formatFlops,
  formatNumber,
  formatParameters,
  formatPercent,
} from "../measure/format.ts";
import { planLine } from "./run_header.ts";
import { rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { boundLines } from "./terminal_bound.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

/** Above this, layers of one kind and size share a line. */
const mostLayerLines = 12;
const mostRankLines = 16;

/**
 * @param peakSource where the peaks of the bound come from, in a phrase
 * @param leftOut what the model does and the program does not, in phrases
 */
export const estimateReport = (
  plan: Plan,
  estimate: PlanEstimate,
  peakSource: string,
  leftOut: readonly string[] = [],
  colours: Colours = plain,
): string[] => [
  ...wrap(planLine(plan), LINE_WIDTH).map(colours.strong),
  ...wrap(
    "Every figure is estimated: read from the program's instructions, nothing was run. " +
      "A step is the whole batch.",
    LINE_WIDTH,
  ).map(colours.faint),
  "",
  ...modelLines(estimate, leftOut, colours),
  "",
  ...layerLines(estimate, colours),
  "",
  ...kernelLines(estimate, colours),
  "",
  ...collectiveLines(estimate.collectives, colours),
  ...replicaLines(estimate, colours),
  "",
  ...rankLines(plan, estimate, colours),
  "",
  ...boundLines(plan, estimate, peakSource, colours),
];

const modelLines = (
  { parameters, modelFlops, batch, tokens }: PlanEstimate,
  leftOut: readonly string[],
  colours: Colours,
): string[] => {
  const { total, active, inProgram, source, notStated } = parameters;
  const per = tokens === batch ? "sample" : "token";
  return [
    colours.strong("Model"),
    ...(notStated === undefined
      ? [
          `  parameters  ${formatParameters(total)}, active ${formatParameters(active)} ` +
            `(counted from the ${source === "model" ? "model's description" : "program's weights"})`,
        ]
      : wrapIndented(`parameters  not stated: ${notStated}`, LINE_WIDTH, 2).map(colours.doubtful)),
    ...(inProgram === total
      ? []
      : [`              of which the program, unsharded, holds ${formatParameters(inProgram)}`]),
    `  FLOPs       ${formatFlops(modelFlops)} per step, ` +
      `${formatFlops(modelFlops / tokens)} per ${per}`,
    ...(leftOut.length === 0
      ? []
      : wrapIndented(
          `not counted, as no layer does it yet: ${leftOut.join("; ")}`,
          LINE_WIDTH,
          2,
        ).map(colours.doubtful)),
  ];
};

interface Kind {
  readonly title: string;
  count: number;
  /** Of one. */
  readonly layer: LayerEstimate;
}

const layerLines = (
  { layers, modelFlops, microBatches, bound }: PlanEstimate,
  colours: Colours,
): string[] => {
  const msOf = new Map(bound?.layers.map(({ layer, ms }) => [layer, ms]));
  return [
    colours.strong("Layers"),
    ...table(
      [
        { title: "layer", align: "left" },
        { title: "FLOPs" },
        { title: "share" },
        { title: "bytes" },
        { title: "FLOP/B" },
        { title: "wire" },
        ...(bound === undefined ? [] : [{ title: "≥ ms" }]),
      ],
      kindsOf(layers).map(({ title, count, layer }) => ({
        cells: [
          count === 1 ? title : `${count} × ${title}`,
          formatFlops(count * layer.flops),
          formatPercent((count * layer.flops) / Math.max(1, totalOf(layers, modelFlops))),
          formatBytes(count * layer.kernelBytes),
          intensity(layer),
          formatBytes(count * layer.wireBytes),
          ...(bound === undefined
            ? []
            : [formatNumber((msOf.get(layer.layer) ?? 0) * microBatches)]),
        ],
      })),
      colours,
    ),
    ...note(
      "per step over all ranks; bytes: what kernels must move through memory; wire: what arrives at " +
        "other ranks" +
        (bound === undefined ? "" : "; ≥ ms: one layer for the whole step, on its slowest rank"),
      colours,
    ),
  ];
};

const totalOf = (layers: readonly LayerEstimate[], least: number): number =>
  Math.max(
    least,
    layers.reduce((sum, { flops }) => sum + flops, 0),
  );

/** Few layers by name; of many, those of one kind and cost together. */
const kindsOf = (layers: readonly LayerEstimate[]): Kind[] => {
  if (layers.length <= mostLayerLines) {
    return layers.map((layer) => ({ title: layer.layer, count: 1, layer }));
  }
  const kinds = new Map<string, Kind>();
  for (const layer of layers) {
    const title = layer.layer.slice(layer.layer.lastIndexOf(".") + 1);
    const key = `${title} ${Math.round(layer.flops)} ${Math.round(layer.kernelBytes)}`;
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { title, count: 1, layer });
    else known.count += 1;
  }
  return [...kinds.values()];
};

const intensity = ({
  flops,
  kernelBytes,
}: {
  readonly flops: number;
  readonly kernelBytes: number;
}): string => (kernelBytes === 0 ? "–" : formatNumber(flops / kernelBytes));

const kernelLines = ({ kernels }: PlanEstimate, colours: Colours): string[] => [
  colours.strong("Kernels"),
  ...table(
    [
      { title: "kernel", align: "left" },
      { title: "dispatches" },
      { title: "FLOPs" },
      { title: "bytes" },
      { title: "FLOP/B" },
    ],
    kernels
      .toSorted((a, b) => b.flops - a.flops || b.kernelBytes - a.kernelBytes)
      .map((kernel) => ({
        cells: [
          kernel.kernel,
          formatNumber(kernel.calls),
          formatFlops(kernel.flops),
          formatBytes(kernel.kernelBytes),
          intensity(kernel),
        ],
      })),
    colours,
  ),
];

const replicaLines = ({ replicaTraffic }: PlanEstimate, colours: Colours): string[] =>
  replicaTraffic === undefined
    ? []
    : note(
        "beside these, which the program moves, training replicas exchange per step and GPU at most " +
          `${formatBytes(replicaTraffic.gradients)} of gradients and ${formatBytes(replicaTraffic.weights)} of weights`,
        colours,
      );

const collectiveLines = (
  collectives: readonly CollectiveEstimate[],
  colours: Colours,
): string[] => {
  if (collectives.length === 0)
    return [colours.strong("Collectives"), "  none: no rank waits for another"];
  const kinds = new Map<
    string,
    { title: string; of: string; calls: number; bytes: number; layers: number }
  >();
  for (const { op, name, layer, calls, wireBytes } of collectives) {
    const of = name ?? layer.slice(layer.lastIndexOf(".") + 1);
    const key = `${op} ${of}`;
    const known = kinds.get(key) ?? { title: op, of, calls: 0, bytes: 0, layers: 0 };
    kinds.set(key, {
      ...known,
      calls: known.calls + calls,
      bytes: known.bytes + wireBytes,
      layers: known.layers + 1,
    });
  }
  return [
    colours.strong("Collectives"),
    ...table(
      [
        { title: "collective", align: "left" },
        { title: "of", align: "left" },
        { title: "layers" },
        { title: "calls" },
        { title: "wire per call" },
        { title: "wire per step" },
      ],
      [...kinds.values()].map(({ title, of, calls, bytes, layers }) => ({
        cells: [
          title,
          of,
          formatNumber(layers),
          formatNumber(calls),
          formatBytes(bytes / Math.max(1, calls)),
          formatBytes(bytes),
        ],
      })),
      colours,
    ),
    ...note("wire: bytes that arrive at another rank, all members together", colours),
  ];
};

const rankLines = (plan: Plan, { ranks, memory }: PlanEstimate, colours: Colours): string[] => {
  const capacity = plan.hardware.memoryPerGpu;
  const roles = ["weight", "input", "activation", "workspace", "staging"] as const;
  const cellsOf = (rank: (typeof ranks)[number]): string[] => [
    ...roles.map((role) => formatBytes(rank.memoryByRole[role] ?? 0)),
    formatBytes(rank.memoryBytes),
    ...(capacity === undefined ? [] : [formatPercent(rank.memoryBytes / capacity)]),
  ];
  const runs = runsOfRanks(ranks, (rank) =>
    [...cellsOf(rank), formatFlops(rank.flops), formatBytes(rank.sentBytes)].join(),
  );
  const shown = runs.slice(0, mostRankLines);
  return [
    colours.strong("Memory per rank"),
    ...table(
      [
        { title: "rank" },
        { title: "weights" },
        { title: "input" },
        { title: "activ." },
        { title: "worksp." },
        { title: "staging" },
        { title: "total" },
        ...(capacity === undefined ? [] : [{ title: "of GPU" }]),
      ],
      shown.map((run) => ({ cells: [rangeOf(run), ...cellsOf(run.item)] })),
      colours,
    ),
    ...note(
      "the buffers that a run allocates, to the byte; staging is mappable memory through which " +
        "collectives leave the GPU",
      colours,
    ),
    ...besidesNote(memory, capacity, colours),
    "",
    colours.strong("Work per rank and step"),
    ...table(
      [
        { title: "rank" },
        { title: "FLOPs" },
        { title: "bytes" },
        { title: "FLOP/B" },
        { title: "sent" },
        { title: "received" },
      ],
      shown.map((run) => ({
        cells: [
          rangeOf(run),
          formatFlops(run.item.flops),
          formatBytes(run.item.kernelBytes),
          intensity(run.item),
          formatBytes(run.item.sentBytes),
          formatBytes(run.item.receivedBytes),
        ],
      })),
      colours,
    ),
    ...routedNote(ranks, colours),
    ...(runs.length > shown.length
      ? note(
          `and ${countOf(ranks.length - (shown.at(-1)?.last ?? 0) - 1, "more rank")}; --json lists all`,
          colours,
        )
      : []),
  ];
};

const note = (text: string, colours: Colours): string[] =>
  wrapIndented(text, LINE_WIDTH, 2).map(colours.faint);

/** What arrives depends on the routers: expected is an even spread. */
const routedNote = (
  ranks: readonly { readonly receivedBytes: number; readonly receivedBytesAtWorst?: number }[],
  colours: Colours,
): string[] => {
  let worst: { expected: number; most: number } | undefined;
  for (const { receivedBytes, receivedBytesAtWorst = 0 } of ranks) {
    if (receivedBytesAtWorst > (worst?.most ?? 0)) {
      worst = { expected: receivedBytes, most: receivedBytesAtWorst };
    }
  }
  return worst === undefined
    ? []
    : note(
        `received: tokens spread evenly over the experts; a rank that they all choose receives ${formatBytes(worst.most)} instead of ${formatBytes(worst.expected)}`,
        colours,
      );
};

/** What the fullest GPU needs beside the program's buffers. */
const besidesNote = (
  memory: readonly MemoryNeed[],
  capacity: number | undefined,
  colours: Colours,
): string[] => {
  const { rank, keyValueCache, gradients, optimizer, total } = fullestNeed(memory);
  const parts = [
    ["KV cache", keyValueCache] as const,
    ["gradients", gradients] as const,
    ["optimizer state", optimizer] as const,
  ].filter(([, bytes]) => bytes > 0);
  if (parts.length === 0) return [];
  const besides = parts.map(([name, bytes]) => `${name} ${formatBytes(bytes)}`).join(", ");
  const share = capacity === undefined ? "" : ` (${formatPercent(total / capacity)} of it)`;
  return note(
    `besides, the plan needs on GPU ${rank}, the fullest: ${besides}; ${formatBytes(total)} in all${share}`,
    colours,
  );
};
