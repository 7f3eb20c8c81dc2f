// How much faster tuning makes the plans, as Markdown.

import { formatNumber } from "../../src/measure/format.ts";
import { median } from "../../src/measure/statistics.ts";
import { markdownTable } from "./markdown.ts";
import { readRecords } from "./records.ts";

export interface PlanRecord {
  readonly plan: string;
  readonly way: "tune" | "untuned" | "tuned";
  /** Runs of the same round followed each other. */
  readonly round: number;
  /** Median over the run's steps. */
  readonly stepMs?: number;
  /** Wall ms of each. */
  readonly steps?: readonly number[];
  /** Largest relative error of the check before. */
  readonly error?: number;
  readonly tolerance?: number;
  readonly variants?: readonly {
    readonly call: string;
    readonly variant: string;
    readonly reason: string;
  }[];
  readonly failure?: string;
}

export function planSections(printed: string): string[] {
  const records = readRecords<PlanRecord>(printed);
  const plans = [...new Set(records.map(({ plan }) => plan))];
  const failures = records.flatMap(({ plan, way, round, failure }) =>
    failure === undefined ? [] : [`- ${plan}, ${way}, round ${round}: ${failure}`],
  );
  return [
    ...markdownTable(
      [
        "plan",
        "untuned, ms a step",
        "tuned, ms a step",
        "rounds",
        "untuned ÷ tuned",
        "lowest … highest",
      ],
      plans.map((plan) => cellsOf(plan, records)),
    ),
    "",
    ...failures,
  ];
}

function cellsOf(plan: string, records: readonly PlanRecord[]): string[] {
  const stepOf = (way: PlanRecord["way"], round: number): number | undefined =>
    records.find((one) => one.plan === plan && one.way === way && one.round === round)?.stepMs;
  const rounds = [...new Set(records.map(({ round }) => round))].flatMap((round) => {
    const [untuned, tuned] = [stepOf("untuned", round), stepOf("tuned", round)];
    return untuned === undefined || tuned === undefined ? [] : [{ untuned, tuned }];
  });
  if (rounds.length === 0) return [plan, "not measured"];
  const ratios = rounds.map(({ untuned, tuned }) => untuned / tuned);
  const ratio = (value: number): string => `${value.toFixed(2)}×`;
  return [
    plan,
    formatNumber(median(rounds.map(({ untuned }) => untuned))),
    formatNumber(median(rounds.map(({ tuned }) => tuned))),
    String(rounds.length),
    ratio(median(ratios)),
    `${ratio(Math.min(...ratios))} … ${ratio(Math.max(...ratios))}`,
  ];
}
