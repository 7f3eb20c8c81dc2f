// The tables of `shardbench collectives`: nccl-tests' columns, then where the time went and the link model.

import type {
  CollectiveBench,
  CollectivePlaceFigures,
  CollectiveRow,
  TransferSplit,
} from "../result/collective_bench.ts";
import { runConditions } from "../claims/obstacles.ts";
import {
  countOf,
  formatBytes,
  formatNumber,
  formatPercent,
  formatValue,
} from "../measure/format.ts";
import {
  line,
  note,
  paragraph,
  right,
  table,
  type Block,
  type Report,
  type TonedText,
  type Table,
} from "./section.ts";
import { hostOf } from "./sections/host.ts";
import { outcomeSection } from "./sections/outcome.ts";

export function collectivesReport(bench: CollectiveBench): Report {
  const { op, ranks, dtype, algorithm, adapters, transport, versions, rows } = bench;
  const hasInPlace = rows.some((row) => row.inPlace !== undefined);
  const how = algorithm === undefined ? "" : `, by ${algorithm}`;
  const outOfPlace = placeTable(bench, (row) => row.outOfPlace);
  return {
    title: [{ text: `${op} over ${countOf(ranks, "rank")}, ${dtype}${how}`, tone: "strong" }],
    intro: [
      paragraph(
        `${runConditions(adapters).join("; ")}; ${messagesOver(transport)}; ` +
          `shardbench ${versions.shardbench}, webgpu ${versions.webgpu}, ${hostOf(versions)}`,
        "faint",
      ),
    ],
    sections: [
      {
        title: "Out of place",
        blocks: [outOfPlace, ...(hasInPlace ? [] : summaryOf(bench))],
      },
      {
        title: "In place",
        blocks: hasInPlace ? [placeTable(bench, (row) => row.inPlace), ...summaryOf(bench)] : [],
      },
      {
        title: "Where the time went, out of place, % (mean over ranks)",
        blocks: [splitTable(bench), ...linkModel(bench)],
      },
      outcomeSection(bench.outcome, `${countOf(rows.length, "size")} kept`),
    ],
  };
}

function messagesOver(transport: string): string {
  return transport === "relay" ? "messages relayed" : transport.replaceAll("-", " ");
}

function placeTable(
  bench: CollectiveBench,
  figuresOf: (row: CollectiveRow) => CollectivePlaceFigures | undefined,
): Table {
  return table(
    right("size(B)", "count", "type", "redop", "root", "time(us)", "algbw", "busbw", "#wrong"),
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
  );
}

function isSum({ op }: CollectiveBench): boolean {
  return op === "all-reduce" || op === "reduce" || op === "reduce-scatter";
}

function hasRoot({ op }: CollectiveBench): boolean {
  return op === "broadcast" || op === "reduce" || op === "gather" || op === "scatter";
}

function gigabytes(bytesPerSecond: number): string {
  return (bytesPerSecond / 1e9).toFixed(3);
}

/** Over the sizes, in and out of place. */
function summaryOf({ rows, leftOut }: CollectiveBench): Block[] {
  const figures = rows.flatMap(({ outOfPlace, inPlace }) =>
    inPlace === undefined ? [outOfPlace] : [outOfPlace, inPlace],
  );
  const buses = figures.flatMap(({ busBandwidth }) => busBandwidth ?? []);
  const average = buses.reduce((sum, each) => sum + each, 0) / buses.length;
  const samples = figures.map((each) => each.samples);
  return [
    note(
      `median of ${Math.min(...samples)} to ${Math.max(...samples)} samples; algbw and busbw in GB/s of 1e9 B, as nccl-tests defines them`,
    ),
    ...(leftOut.length === 0
      ? []
      : [
          note(
            `left out: ${leftOut.map(formatBytes).join(", ")}, more than the adapter allows in one buffer`,
            "doubtful",
          ),
        ]),
    line(["Out of bounds values : ", ...wrongValues(figures)]),
    line([`Avg bus bandwidth    : ${buses.length === 0 ? "N/A" : `${gigabytes(average)} GB/s`}`]),
  ];
}

function wrongValues(figures: readonly CollectivePlaceFigures[]): TonedText[] {
  const checked = figures.flatMap(({ wrong }) => wrong ?? []);
  if (checked.length === 0) return ["N/A"];
  const wrong = checked.reduce((sum, each) => sum + each, 0);
  return [`${wrong} `, wrong === 0 ? "OK" : { text: "FAILED", tone: "bad" }];
}

const parts = [
  ["readback", "readbackMs"],
  ["move", "moveMs"],
  ["reduce", "reduceMs"],
  ["upload", "uploadMs"],
  ["wait", "waitMs"],
  ["host", "hostMs"],
] as const satisfies readonly (readonly [string, keyof TransferSplit])[];

function splitTable({ rows }: CollectiveBench): Table {
  return table(
    right("size(B)", "time(us)", ...parts.map(([title]) => title)),
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
  );
}

function linkModel({ link }: CollectiveBench): Block[] {
  if (link === undefined) return [];
  const { latencyMs, bandwidth, error } = link;
  const beta = bandwidth === undefined ? "free" : formatValue(bandwidth, "B/s");
  return [
    paragraph(
      `Link model: α ${formatNumber(latencyMs * 1000)} us, β ${beta} of the bytes that one rank exchanges with one other; ` +
        `half of the sizes within ${formatPercent(error)}`,
    ),
  ];
}
