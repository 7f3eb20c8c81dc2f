// How evenly a router loads the experts.

import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import { exact } from "./figures.ts";
import type { ExpertMetrics } from "./metrics.ts";
import type { ExpertSample } from "./sample.ts";
import { variance } from "./statistics.ts";

/** Tokens that reached each expert in one step, with ranks in the order in which they hold the experts. */
export function expertLoads(program: Program, trace: StepTrace): ExpertSample[] {
  return program.layers.flatMap((layer) => {
    const ranks = expertRanks(program, layer).flatMap((rank) => {
      const tokens = trace.ranks.find((each) => each.rank === rank)?.expertTokens[layer];
      return tokens === undefined ? [] : [{ rank, tokens }];
    });
    if (ranks.length === 0) return [];
    const dropped = trace.ranks.reduce((sum, rank) => sum + (rank.droppedTokens[layer] ?? 0), 0);
    return [{ layer, ranks, dropped }];
  });
}

function expertRanks(program: Program, layer: string): readonly number[] {
  for (const { instructions } of program.ranks) {
    for (const instruction of instructions) {
      if (instruction.op === "expert-dispatch" && instruction.origin.layer === layer) {
        return instruction.to;
      }
    }
  }
  return program.ranks.map(({ rank }) => rank);
}

export function expertMetrics({ layer, ranks, dropped }: ExpertSample): ExpertMetrics {
  const tokensPerExpert = ranks.flatMap(({ tokens }) => tokens);
  const perRank = ranks.map(({ rank, tokens }) => ({
    rank,
    experts: tokens.length,
    tokens: tokens.reduce((sum, count) => sum + count, 0),
  }));
  const kept = perRank.reduce((sum, { tokens }) => sum + tokens, 0);
  const busiest = Math.max(...perRank.map(({ tokens }) => tokens));
  const choices = kept + dropped;
  return {
    layer,
    tokensPerExpert,
    ranks: perRank,
    ...(kept === 0 ? {} : { overload: exact((busiest * perRank.length) / kept, "ratio") }),
    deadExperts: exact(tokensPerExpert.filter((count) => count === 0).length, "experts"),
    ...(choices === 0 ? {} : { dropRate: exact(dropped / choices, "share") }),
    tokenVariance: exact(variance(tokensPerExpert), "tokens²"),
  };
}
