// What a technique is worth: steps of a plan in turn with steps of the same plan without it, and what both take.

import type { Figure } from "./figure.ts";
import { figureOf } from "./figures.ts";

/** Of a plan with some techniques switched off. */
export interface AblatedCost {
  /** Of one step in each round, in the order of rounds. */
  readonly stepMs: readonly number[];
  /** Of the rank that allocates most. */
  readonly memoryBytes: number;
  /** Sent over all ranks, per step. */
  readonly wireBytes: number;
}

/**
 * - `pays`: it makes the step shorter, memory less or messages fewer, and nothing worse
 * - `trades`: one for another
 * - `costs`: it makes something worse, and nothing better
 * - `nothing`: it makes no difference that is worth a word
 * - `open`: neither the rounds nor what another opening may find tell whether the step is longer or shorter
 */
export type AblationVerdict = "pays" | "trades" | "costs" | "nothing" | "open";

export interface TechniqueEffect {
  /** Step with ÷ without, round by round; below 1 where the technique is faster. */
  readonly stepRatio: Figure;
  /** With ÷ without. */
  readonly memoryRatio: number;
  /** With ÷ without; absent where neither sends anything. */
  readonly wireRatio?: number;
  readonly verdict: AblationVerdict;
  readonly better: readonly Effect[];
  readonly worse: readonly Effect[];
}

export type Effect = "step" | "memory" | "messages";

/** Less of a difference than this is none: of a time that is known so well, and of bytes. */
const noDifference = 0.02;
/** What rounds of one opening of the ranks do not show, as of a single run: in another one memory lies elsewhere. */
export const betweenOpenings = 0.05;

/** @param on with the technique @param off without it */
export function techniqueEffect(on: AblatedCost, off: AblatedCost): TechniqueEffect | undefined {
  const stepRatio = ratioOf(on.stepMs.map((ms, round) => ms / (off.stepMs[round] ?? Number.NaN)));
  if (stepRatio === undefined) return undefined;
  const memoryRatio = on.memoryBytes / off.memoryBytes;
  const wireRatio = off.wireBytes === 0 ? undefined : on.wireBytes / off.wireBytes;
  const effects: readonly (readonly [Effect, Direction])[] = [
    ["step", directionOf(stepRatio)],
    ["memory", directionOfBytes(memoryRatio)],
    ["messages", wireRatio === undefined ? bytesFromNothing(on) : directionOfBytes(wireRatio)],
  ];
  const of = (wanted: Direction): Effect[] =>
    effects.flatMap(([effect, direction]) => (direction === wanted ? [effect] : []));
  const [better, worse] = [of("less"), of("more")];
  return {
    stepRatio,
    memoryRatio,
    ...(wireRatio === undefined ? {} : { wireRatio }),
    verdict: verdictOf(better, worse, of("open")),
    better,
    worse,
  };
}

export interface PairEffect {
  /**
   * Step with both · step with neither ÷ (step with the one · step with the other), round by round: 1 where each is
   * worth the same with and without the other, below 1 where together they gain more.
   */
  readonly interaction: Figure;
  readonly verdict: "independent" | "help each other" | "hinder each other" | "open";
}

/** @param both with both techniques @param one without the second @param other without the first */
export function pairEffect(
  both: AblatedCost,
  one: AblatedCost,
  other: AblatedCost,
  neither: AblatedCost,
): PairEffect | undefined {
  const at = ({ stepMs }: AblatedCost, round: number): number => stepMs[round] ?? Number.NaN;
  const interaction = ratioOf(
    both.stepMs.map((ms, round) => (ms * at(neither, round)) / (at(one, round) * at(other, round))),
  );
  if (interaction === undefined) return undefined;
  const words = {
    less: "help each other",
    more: "hinder each other",
    same: "independent",
    open: "open",
  } as const;
  return { interaction, verdict: words[directionOf(interaction)] };
}

type Direction = "less" | "more" | "same" | "open";

function ratioOf(rounds: readonly number[]): Figure | undefined {
  return figureOf([rounds], "ratio", {
    provenance: "measured",
    conditions: ["steps in turn on the same ranks"],
  });
}

/** Without an interval, of fewer than five rounds, nothing is decided. */
function directionOf({ interval }: Figure): Direction {
  if (interval === undefined) return "open";
  const [low, high] = interval;
  if (low >= 1 - noDifference && high <= 1 + noDifference) return "same";
  if (high * (1 + betweenOpenings) < 1) return "less";
  return low > 1 + betweenOpenings ? "more" : "open";
}

function directionOfBytes(ratio: number): Direction {
  if (Math.abs(ratio - 1) <= noDifference) return "same";
  return ratio < 1 ? "less" : "more";
}

function bytesFromNothing({ wireBytes }: AblatedCost): Direction {
  return wireBytes === 0 ? "same" : "more";
}

function verdictOf(
  better: readonly Effect[],
  worse: readonly Effect[],
  open: readonly Effect[],
): AblationVerdict {
  if (better.length > 0 && worse.length > 0) return "trades";
  if (open.length > 0) return "open";
  if (better.length > 0) return "pays";
  return worse.length > 0 ? "costs" : "nothing";
}
