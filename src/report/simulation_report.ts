// A simulated step. Every figure is projected.

import { formatNumber, formatPercent, formatValue } from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import { rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import type { HardwareProjection } from "../program/simulate/simulate_hardware.ts";
import type { Projection } from "../result/result.ts";
import { fields, note, right, table, type Report, type Table } from "./section.ts";
import { bubbleSection } from "./sections/bubble.ts";
import { planLine } from "./sections/plan_line.ts";
import { projectionSection } from "./sections/projection.ts";
import { rankTimeSection } from "./sections/rank_time.ts";

export function simulationReport(plan: Plan, projection: Projection): Report {
  return {
    title: [planLine(plan)],
    sections: [
      projectionSection(projection, undefined),
      rankTimeSection(projection.ranks, "the projected step"),
      bubbleSection(plan, [projection.bubble]),
    ],
  };
}

const mostRankLines = 16;

export function hardwareReport(plan: Plan, projected: HardwareProjection): Report {
  const { stepMs, samplesPerSecond, tokensPerSecond, busy, scheduleBubble } = projected;
  return {
    title: [planLine(plan)],
    sections: [
      {
        title: "Projection",
        blocks: [
          fields(
            [
              ["step", `${formatNumber(stepMs)} ms`],
              ["samples", formatValue(samplesPerSecond, "samples/s")],
              ...(plan.workload.sequence === 1
                ? []
                : [["tokens", formatValue(tokensPerSecond, "tokens/s")] as const]),
              ["busy", formatPercent(busy)],
              ...(scheduleBubble === undefined
                ? []
                : [
                    [
                      "bubble",
                      `${formatPercent(scheduleBubble)} by the schedule with equal stages`,
                    ] as const,
                  ]),
            ],
            10,
          ),
          rankTable(projected),
          note(
            `projected from figures of the hardware: ${givenFigures(projected)}. Kernels run at the roofline, ` +
              "launches are free; no real kernels are as fast",
          ),
        ],
      },
    ],
  };
}

function rankTable({ ranks, stepMs }: HardwareProjection): Table {
  const cellsOf = ({ endMs, computeMs }: HardwareProjection["ranks"][number]): string[] => [
    formatNumber(computeMs),
    formatPercent(computeMs / stepMs),
    formatNumber(endMs),
  ];
  const numbered = ranks.map((each, rank) => ({ ...each, rank }));
  const runs = runsOfRanks(numbered, (rank) => cellsOf(rank).join()).slice(0, mostRankLines);
  return table(
    right("rank", "compute ms", "of step", "ends at ms"),
    runs.map((run) => ({ cells: [rangeOf(run), ...cellsOf(run.item)] })),
  );
}

function givenFigures({ peaks, latencyMs }: HardwareProjection): string {
  return [
    `${formatValue(peaks.flops, "FLOP/s")} per GPU`,
    peaks.bandwidth === undefined
      ? "memory free, as its bandwidth is not given"
      : `memory ${formatValue(peaks.bandwidth, "B/s")}`,
    peaks.linkBandwidth === undefined
      ? "wire free, as link bandwidth is not given"
      : `a link of ${formatValue(peaks.linkBandwidth, "B/s")} into each GPU`,
    `latency ${formatNumber(latencyMs * 1000)} µs`,
  ].join("; ");
}
