// Which slot of its rank an instruction belongs to, read from where it comes from.

import { chunkOfStage } from "../../plan/pipeline.ts";
import type { Plan } from "../../plan/plan.ts";
import type { OpOrigin } from "../program.ts";
import type { Schedule } from "./schedule.ts";

export interface Places {
  /** Of a rank; undefined for a rank of no stage. */
  pipelineRankOf(rank: number): number | undefined;
  /**
   * The stage of the rank that an instruction is part of. A transfer between stages comes from the earlier of
   * them, whichever way it goes: on the ranks of the later one, it is part of the later one.
   */
  stageOf(rank: number, origin: OpOrigin): number;
  chunkOf(rank: number, origin: OpOrigin): number;
}

export function placesOf(plan: Plan, { pipeline }: Schedule): Places {
  const { pipelineRanks } = pipeline;
  const p = pipelineRanks.length;
  const stageByName = new Map(plan.stages.map(({ name }, s) => [name, s]));
  const pipelineRankByRank = new Map(
    pipelineRanks.flatMap((ranks, pipelineRank) => ranks.map((rank) => [rank, pipelineRank])),
  );
  const stageOf = (rank: number, { stage }: OpOrigin): number => {
    const from = stageByName.get(stage) ?? 0;
    const pipelineRank = pipelineRankByRank.get(rank) ?? from % p;
    return from + ((pipelineRank - (from % p) + p) % p);
  };
  return {
    pipelineRankOf: (rank) => pipelineRankByRank.get(rank),
    stageOf,
    chunkOf: (rank, origin) => chunkOfStage(pipeline, stageOf(rank, origin)),
  };
}
