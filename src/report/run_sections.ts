// The figures of a run, section by section. A section without figures has no lines.

import type { Figure } from "../measure/figure.ts";
import { reasonsOfMargin } from "../measure/margin.ts";
import type { Metrics } from "../measure/metrics.ts";
import { boundShareCells } from "./bound_share.ts";
import type { Colours } from "./colour.ts";
import {
  countOf,
  formatBytes,
  formatFigure,
  formatInterval,
  formatNumber,
  formatPercent,
  formatValue,
  samplesOf,
} from "../measure/format.ts";
import type { RunResult } from "../result/result.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

export const speedLines = ({ metrics }: RunResult, colours: Colours): string[] => {
  const figures: readonly (readonly [label: string, figure: Figure | undefined])[] = [
    ["step", metrics.stepMs],
    ["samples", metrics.samplesPerSecond],
    ["tokens", metrics.tokensPerSecond],
    ["busy", metrics.busy],
    ["MFU", metrics.mfu],
    ["bandwidth", metrics.bandwidth],
  ];
  const rows = figures.flatMap(([label, figure]) =>
    figure === undefined ? [] : [{ cells: [label, ...cellsOf(label, figure, metrics)] }],
  );
  if (rows.length === 0) return [];
  return [
    ...table(
      [{ title: "", align: "left" }, { title: "median" }, { title: "95 % within" }],
      rows,
      colours,
    ),
    ...wrapIndented(
      [...evidenceOf(metrics.stepMs), ...marginOf(metrics.stepMs), ...spreadOf(metrics)].join("; "),
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

/** What is over its bound is no result: a note says what it contradicts. */
const cellsOf = (label: string, figure: Figure, { overBound }: Metrics): string[] => {
  const contradicts = overBound.some(({ name }) => name === label);
  const [value, interval] =
    figure.unit === "share"
      ? boundShareCells(figure, !contradicts)
      : [formatFigure(figure), formatInterval(figure)];
  return [value, interval || "–"];
};

const evidenceOf = (figure: Figure | undefined): string[] =>
  figure === undefined ? [] : [`${figure.provenance}, ${samplesOf(figure)}`];

/** Why intervals are wider than the samples ask for. */
const marginOf = (figure: Figure | undefined): string[] => {
  if (figure?.margin === undefined) return [];
  const why = reasonsOfMargin(figure.runs);
  return [`intervals hold ${formatPercent(figure.margin)} either way for ${why}`];
};

const spreadOf = ({ percentiles, outliers }: Metrics): string[] => [
  ...(["p50", "p90", "p99"] as const).flatMap((name) => {
    const ms = percentiles[name];
    return ms === undefined ? [] : [`step ${name} ${formatValue(ms, "ms")}`];
  }),
  ...(outliers === 0 ? [] : [countOf(outliers, "outlier")]),
];

export const timeLines = ({ metrics }: RunResult, colours: Colours): string[] =>
  timeTable(metrics.ranks, colours);

export const timeTable = (ranks: Metrics["ranks"], colours: Colours): string[] => {
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
      `${evidenceOf(ranks[0]?.compute).join("")}. compute + comm + host + idle = 100; ` +
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

export const hostLines = ({ metrics }: RunResult, colours: Colours): string[] => {
  if (metrics.host.length === 0) return [];
  const micro = ({ value }: Figure): string => formatNumber(value * 1000);
  return [
    ...table(
      [
        { title: "rank" },
        { title: "instructions" },
        { title: "encode" },
        { title: "submit" },
        { title: "map" },
        { title: "wake" },
        { title: "sum" },
      ],
      metrics.host.map((host) => ({
        cells: [
          String(host.rank),
          String(host.instructions),
          micro(host.encodeMs),
          micro(host.submitMs),
          micro(host.mapMs),
          micro(host.wakeMs),
          micro(host.sumMs),
        ],
      })),
      colours,
    ),
    ...wrapIndented(
      `${evidenceOf(metrics.host[0]?.sumMs).join("")}, medians of CPU time of the host's thread (off Linux: wall time), whether or not the GPU worked meanwhile. wake: wall time from the end of the last kernel until the host goes on`,
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

export const layerLines = ({ metrics }: RunResult, colours: Colours): string[] => {
  if (metrics.layers.length === 0) return [];
  const rows = metrics.layers.map(({ layer, latencyMs }) => ({
    cells: [layer, formatFigure(latencyMs), formatInterval(latencyMs)],
  }));
  return [
    ...table(
      [{ title: "layer", align: "left" }, { title: "latency" }, { title: "95 % within" }],
      rows,
      colours,
    ),
    ...wrapIndented(
      [
        ...evidenceOf(metrics.layers[0]?.latencyMs),
        ...(metrics.layerMs === undefined
          ? []
          : [
              `${formatFigure(metrics.layerMs)} per layer`,
              metrics.layerMs.conditions.at(-1) ?? "",
            ]),
      ].join("; "),
      LINE_WIDTH,
      2,
    ).map(colours.faint),
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
