// A program's step as it would be if each rank had an adapter to itself: projected from what instructions
// take alone, never measured.

import type { Program } from "../program.ts";
import type { RankTrace, Span, StepTrace } from "../trace.ts";
import type { RankCosts } from "./cost.ts";
import { play } from "./play.ts";
import { tapesOf } from "./tape.ts";

/** Exclusive timing: what a simulation knows of the ranks. */
export interface Measured {
  /** Steps of each rank alone, by repeat and rank: played one by one, they scatter as steps do. */
  readonly repeats: readonly (readonly RankCosts[])[];
  /** ms until a rank that waits sees what another has posted. */
  readonly latencyMs: number;
}

/** One projected step per repeat. */
export function simulateRepeats(program: Program, { repeats, latencyMs }: Measured): StepTrace[] {
  return repeats.map((costs, step) => ({ ...simulate(program, costs, latencyMs), step }));
}

/**
 * @param costs by rank
 * @throws Error where the program's ranks would wait for each other for ever
 */
export function simulate(
  program: Program,
  costs: readonly RankCosts[],
  latencyMs: number,
): StepTrace {
  const spans = program.ranks.map((): Span[] => []);
  const { wallMs, ranks } = play(tapesOf(program, costs), {
    latencyMs,
    onSpan: (rank, span) => spans[rank]?.push(span),
  });
  return {
    step: 0,
    provenance: "projected",
    wallMs,
    ranks: ranks.map(({ endMs }, rank): RankTrace => ({
      rank,
      startMs: 0,
      endMs,
      spans: (spans[rank] ?? []).toSorted((a, b) => a.startMs - b.startMs),
      expertTokens: {},
      droppedTokens: {},
    })),
  };
}
