// The tables of `shardbench collectives`: nccl-tests' columns, then where the time went and the link model.

import type {
  CollectiveBench,
  CollectivePlaceFigures,
  CollectiveRow,
  TransferSplit,
} from "../result/collective_bench.ts";
import { runConditions } from "../claims/obstacles.ts";
import type { Colours } from "./colour.ts";
import {
  countOf,
  formatBytes,
  formatNumber,
  formatPercent,
  formatValue,
} from "../measure/format.ts";
import { endLines } from "./outcome_lines.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

/** Lines of at most 80 columns. */
export const collectivesReport = (bench: CollectiveBench, colours: Colours): string[] => {
  const { op, ranks, dtype, algorithm, adapters, transport, versions } = bench;
  const inPlace = bench.rows.some((row) => row.inPlace !== undefined);
  const how = algorithm === undefined ? "" : `, by ${algorithm}`;
  return [
    colours.strong(`${op} over ${countOf(ranks, "rank")}, ${dtype}${how}`),
    ...wrap(
      `${runConditions(adapters).join("; ")}; ${transport === "relay" ? "messages relayed" : "shared memory"}; ` +
        `shardbench ${versions.shardbench}, webgpu ${versions.webgpu}, ${versions.os}`,
      LINE_WIDTH,
    ).map(colours.faint),
    "",
    colours.strong("Out of place"),
    ...placeTable(bench, ({ outOfPlace }) => outOfPlace, colours),
    ...(inPlace
      ? ["", colours.strong("In place"), ...placeTable(bench, (row) => row.inPlace, colours)]
      : []),
    ...footer(bench, colours),
    "",
    colours.strong("Where the time went, out of place, % (mean over ranks)"),
    ...splitTable(bench, colours),
    ...linkLines(bench),
    ...endLines(bench.outcome, `${countOf(bench.rows.length, "size")} kept`, colours),
  ];
};

const placeTable = (
  bench: CollectiveBench,
  figuresOf: (row: CollectiveRow) => CollectivePlaceFigures | undefined,
  colours: Colours,
): string[] =>
  table(
    [
      { title: "size(B)" },
      { title: "count" },
      { title: "type" },
      { title: "redop" },
      { title: "root" },
      { title: "time(us)" },
      { title: "algbw" },
      { title: "busbw" },
      { title: "#wrong" },
    ],
    bench.rows.flatMap((row) => {
      const figures = figuresOf(row);
      if (figures === undefined) return [];
      const { ms, algorithmBandwidth, busBandwidth, wrong } = figures;
      return [
        {
          cells: [
            String(row.bytes),
            String(row.count),
            bench.dtype,
            isSum(bench) ? "sum" : "none",
            hasRoot(bench) ? "0" : "-1",
            formatNumber(ms * 1000),
            gigabytes(algorithmBandwidth),
            busBandwidth === undefined ? "N/A" : gigabytes(busBandwidth),
            wrong === undefined ? "N/A" : String(wrong),
          ],
        },
      ];
    }),
    colours,
  );

const isSum = ({ op }: CollectiveBench): boolean =>
  op === "all-reduce" || op === "reduce" || op === "reduce-scatter";

const hasRoot = ({ op }: CollectiveBench): boolean =>
  op === "broadcast" || op === "reduce" || op === "gather" || op === "scatter";

const gigabytes = (bytesPerSecond: number): string => (bytesPerSecond / 1e9).toFixed(3);

const footer = ({ rows, leftOut }: CollectiveBench, colours: Colours): string[] => {
  const figures = rows.flatMap(({ outOfPlace, inPlace }) =>
    inPlace === undefined ? [outOfPlace] : [outOfPlace, inPlace],
  );
  const buses = figures.flatMap(({ busBandwidth }) => busBandwidth ?? []);
  const average = buses.reduce((sum, each) => sum + each, 0) / buses.length;
  const checked = figures.flatMap(({ wrong }) => wrong ?? []);
  const wrong = checked.reduce((sum, each) => sum + each, 0);
  const samples = figures.map((each) => each.samples);
  return [
    ...wrapIndented(
      `median of ${Math.min(...samples)} to ${Math.max(...samples)} samples; algbw and busbw in GB/s of 1e9 B, as nccl-tests defines them`,
      LINE_WIDTH,
      2,
    ).map(colours.faint),
    ...(leftOut.length === 0
      ? []
      : wrapIndented(
          `left out: ${leftOut.map(formatBytes).join(", ")}, more than the adapter allows in one buffer`,
          LINE_WIDTH,
          2,
        ).map(colours.doubtful)),
    checked.length === 0
      ? "Out of bounds values : N/A"
      : `Out of bounds values : ${wrong} ${wrong === 0 ? "OK" : colours.bad("FAILED")}`,
    `Avg bus bandwidth    : ${buses.length === 0 ? "N/A" : `${gigabytes(average)} GB/s`}`,
  ];
};

const parts = [
  ["readback", "readbackMs"],
  ["move", "moveMs"],
  ["reduce", "reduceMs"],
  ["upload", "uploadMs"],
  ["wait", "waitMs"],
  ["host", "hostMs"],
] as const satisfies readonly (readonly [string, keyof TransferSplit])[];

const splitTable = ({ rows }: CollectiveBench, colours: Colours): string[] =>
  table(
    [{ title: "size(B)" }, { title: "time(us)" }, ...parts.map(([title]) => ({ title }))],
    rows.map(({ bytes, outOfPlace: { ms, split } }) => {
      const sum = parts.reduce((total, [, part]) => total + split[part], 0);
      return {
        cells: [
          String(bytes),
          formatNumber(ms * 1000),
          ...parts.map(([, part]) => ((100 * split[part]) / sum).toFixed(1)),
        ],
      };
    }),
    colours,
  );

const linkLines = ({ link }: CollectiveBench): string[] => {
  if (link === undefined) return [];
  const { latencyMs, bandwidth, error } = link;
  const beta = bandwidth === undefined ? "free" : formatValue(bandwidth, "B/s");
  return wrap(
    `Link model: α ${formatNumber(latencyMs * 1000)} us, β ${beta} of the bytes that one rank exchanges with one other; ` +
      `half of the sizes within ${formatPercent(error)}`,
    LINE_WIDTH,
  );
};
