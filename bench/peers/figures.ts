// From the outcome of a race to the figures that are printed and kept.

import { medianInterval } from "../../src/measure/median_interval.ts";
import { median } from "../../src/measure/statistics.ts";
import { type ContenderName, ownNames, recordOnly } from "./contender.ts";
import type { Sample } from "./contender_client.ts";
import type { Outcome } from "./race.ts";
import { nameOf, type Task, workOf } from "./tasks.ts";

export type Interval = readonly [low: number, high: number];

/** How many times as fast Shardbench is, tuned: the other's time over its own, round by round. */
export interface Ratio {
  readonly median: number;
  /** 95 %, by bootstrap; absent with fewer than five rounds. */
  readonly interval?: Interval;
}

export interface ContenderFigures {
  readonly name: ContenderName;
  readonly outcome: Outcome;
  /** FLOPs or bytes per second; absent where it was not raced. */
  readonly rate?: number;
  readonly ratio?: Ratio;
}

export interface TaskFigures {
  readonly task: Task;
  readonly name: string;
  readonly unit: "FLOP" | "B";
  readonly amount: number;
  readonly contenders: readonly ContenderFigures[];
  /** The fastest correct peer on the adapter, and how many times as fast Shardbench is. */
  readonly best?: { readonly name: ContenderName; readonly ratio: Ratio };
}

/** What peers are compared with: what a run takes. */
const base: ContenderName = "shardbench-tuned";

function isPeer(name: ContenderName): boolean {
  return name !== recordOnly && !ownNames.includes(name);
}

/** CPU time of all threads on a software adapter, which other load moves little; else wall time. */
export function clockOf(software: boolean) {
  return ({ cpuMs, wallMs }: Sample): number => (software ? cpuMs : wallMs);
}

export function figuresOf(
  task: Task,
  outcomes: ReadonlyMap<ContenderName, Outcome>,
  clock: (sample: Sample) => number,
): TaskFigures {
  const { amount, unit } = workOf(task);
  const timesOf = (outcome: Outcome | undefined): number[] =>
    outcome?.state === "raced" ? outcome.samples.map(clock) : [];
  const own = timesOf(outcomes.get(base));
  const contenders = [...outcomes].map(([name, outcome]): ContenderFigures => {
    const times = timesOf(outcome);
    return {
      name,
      outcome,
      ...(times.length === 0 ? {} : { rate: (amount / median(times)) * 1000 }),
      ...(times.length === 0 || own.length === 0 || name === base
        ? {}
        : { ratio: ratioOf(times, own) }),
    };
  });
  const peers = contenders
    .filter(({ name, rate }) => rate !== undefined && isPeer(name))
    .toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0));
  const [best] = peers;
  return {
    task,
    name: nameOf(task),
    unit,
    amount,
    contenders,
    ...(best?.ratio === undefined ? {} : { best: { name: best.name, ratio: best.ratio } }),
  };
}

function ratioOf(times: readonly number[], own: readonly number[]): Ratio {
  const ratios = times.map((time, round) => time / (own[round] ?? Number.NaN));
  const interval = medianInterval(ratios);
  return { median: median(ratios), ...(interval === undefined ? {} : { interval }) };
}
