// The figures of a run, section by section. A section without figures has no lines.

import type { Figure } from "../measure/figure.ts";
import type { Colours } from "./colour.ts";
import {
  countOf,
  formatBytes,
  formatEvidence,
  formatFigure,
  formatNumber,
  formatValue,
} from "./format.ts";
import type { RunResult } from "./result.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { padEnd, wrapIndented } from "./text_width.ts";

export const speedLines = ({ metrics }: RunResult): string[] => {
  const { percentiles, outliers } = metrics;
  const lines = [
    ...figureLine("step", metrics.stepMs),
    ...figureLine("throughput", metrics.samplesPerSecond),
    ...figureLine("", metrics.tokensPerSecond),
    ...figureLine("busy", metrics.busy),
    ...figureLine("MFU", metrics.mfu),
    ...figureLine("bandwidth", metrics.bandwidth),
  ];
  const spread = [
    ...(["p50", "p90", "p99"] as const).flatMap((name) => {
      const ms = percentiles[name];
      return ms === undefined ? [] : [`${name} ${formatValue(ms, "ms")}`];
    }),
    ...(outliers === 0 ? [] : [countOf(outliers, "outlier")]),
  ];
  return spread.length === 0 || lines.length === 0
    ? lines
    : [...lines, `${padEnd("step spread", 14)}${spread.join(", ")}`];
};

const figureLine = (label: string, figure: Figure | undefined): string[] =>
  figure === undefined
    ? []
    : [`${padEnd(label, 14)}${padEnd(formatFigure(figure), 18)}${formatEvidence(figure)}`];

export const timeLines = ({ metrics }: RunResult, colours: Colours): string[] => {
  const { ranks } = metrics;
  if (ranks.length === 0) return [];
  const parts = [
    ["compute", "compute"],
    ["comm", "communication"],
    ["host", "host"],
    ["idle", "idle"],
    ["rdback", "readback"],
    ["move", "move"],
    ["reduce", "reduce"],
    ["upload", "upload"],
    ["busy", "busy"],
  ] as const;
  const lost = ranks.filter(({ unattributed }) => unattributed.value >= 0.0005);
  return [
    ...table(
      [{ title: "rank" }, ...parts.map(([title]) => ({ title })), { title: "overlap" }],
      ranks.map((rank) => ({
        cells: [
          String(rank.rank),
          ...parts.map(([, part]) => percent(rank[part])),
          percent(rank.overlap),
        ],
      })),
      colours,
    ),
    ...wrapIndented(
      `${formatEvidence(ranks[0]?.compute ?? noSamples)}. compute + comm + host + idle = 100; ` +
        "comm = rdback + move + reduce + upload; overlap is of the time spent communicating.",
      LINE_WIDTH,
      2,
    ).map(colours.faint),
    ...lost.map(
      ({ rank, unattributed }) =>
        `  rank ${rank}: ${formatFigure(unattributed)} could not be attributed`,
    ),
  ];
};

const percent = (figure: Figure | undefined): string =>
  figure === undefined ? "–" : (figure.value * 100).toFixed(1);

const noSamples: Figure = {
  value: 0,
  unit: "share",
  samples: 0,
  provenance: "measured",
  conditions: [],
};

export const layerLines = ({ metrics }: RunResult, colours: Colours): string[] => {
  if (metrics.layers.length === 0) return [];
  const rows = metrics.layers.map(({ layer, latencyMs }) => ({
    cells: [layer, formatFigure(latencyMs), formatEvidence(latencyMs)],
  }));
  return [
    ...table(
      [
        { title: "layer", align: "left" },
        { title: "latency" },
        { title: "evidence", align: "left" },
      ],
      rows,
      colours,
    ),
    ...(metrics.layerMs === undefined
      ? []
      : wrapIndented(
          `${formatFigure(metrics.layerMs)} per layer: ${metrics.layerMs.conditions.at(-1) ?? ""}`,
          LINE_WIDTH,
          2,
        ).map(colours.faint)),
  ];
};

export const memoryLines = ({ estimate, memory }: RunResult, colours: Colours): string[] => {
  const roles = ["weight", "input", "activation", "workspace", "staging"] as const;
  const rows = estimate.ranks.map(({ rank, memoryBytes, memoryByRole }) => {
    const own = memory.find((each) => each.rank === rank);
    return {
      cells: [
        String(rank),
        ...roles.map((role) => formatBytes(memoryByRole[role] ?? 0)),
        formatBytes(memoryBytes),
        own === undefined ? "–" : formatBytes(own.allocatedBytes),
        own === undefined ? "–" : formatBytes(own.peakBytes),
      ],
    };
  });
  const differing = estimate.ranks.filter(({ rank, memoryBytes }) =>
    memory.some((own) => own.rank === rank && own.allocatedBytes !== memoryBytes),
  );
  return [
    ...table(
      [
        { title: "rank" },
        { title: "weights" },
        { title: "input" },
        { title: "activ." },
        { title: "worksp." },
        { title: "staging" },
        { title: "estimate" },
        { title: "alloc." },
        { title: "peak" },
      ],
      rows,
      colours,
    ),
    ...(memory.length === 0
      ? []
      : differing.length === 0
        ? [colours.faint("  the estimate equals what was allocated, to the byte")]
        : differing.map(({ rank }) =>
            colours.bad(`  rank ${rank}: the estimate is not what was allocated`),
          )),
  ];
};

export const expertLines = ({ metrics }: RunResult, colours: Colours): string[] => {
  if (metrics.experts.length === 0) return [];
  return [
    ...table(
      [
        { title: "layer", align: "left" },
        { title: "overload" },
        { title: "dead" },
        { title: "dropped" },
        { title: "variance" },
        { title: "tokens per rank", align: "left" },
      ],
      metrics.experts.map((experts) => ({
        cells: [
          experts.layer,
          optional(experts.overload),
          `${experts.deadExperts.value} of ${experts.tokensPerExpert.length}`,
          optional(experts.dropRate),
          formatNumber(experts.tokenVariance.value),
          experts.ranks.map(({ rank, tokens }) => `${rank}: ${formatNumber(tokens)}`).join("  "),
        ],
      })),
      colours,
    ),
    ...wrapIndented(
      "measured in one step; overload: busiest rank over a balanced one; variance of tokens per expert",
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

const optional = (figure: Figure | undefined): string =>
  figure === undefined ? "–" : formatFigure(figure);
