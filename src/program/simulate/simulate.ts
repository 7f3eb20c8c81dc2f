// A program's step as it would be if each rank had an adapter to itself: projected from what instructions
// take alone, never measured.

import type { Program } from "../program.ts";
import type { RankTrace, Span, StepTrace } from "../trace.ts";
import type { RankCosts } from "./cost.ts";
import { play } from "./play.ts";
import { tapesOf } from "./tape.ts";

/** What a simulation knows of the ranks. */
export interface Measured {
  /** By rank. */
  readonly costs: readonly RankCosts[];
  /** ms until a rank that waits sees what another has posted. */
  readonly latencyMs: number;
}

/** @throws Error where the program's ranks would wait for each other for ever */
export const simulate = (program: Program, { costs, latencyMs }: Measured): StepTrace => {
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
};
