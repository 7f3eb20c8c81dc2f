// Exclusive timing: what every instruction takes while only its rank is at work.

import type { Program } from "../program/program.ts";
import { costsAlone, type StepAlone } from "../program/simulate/cost.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { RankGroup } from "./rank_group.ts";
import { latencyOf } from "./signals.ts";

/** Short steps are run alone about that long per rank: more of them are disturbed, and by more. */
const aloneMs = 100;

/**
 * One step of all ranks is recorded, then each rank runs it alone.
 *
 * @param least steps per rank
 * @param most where steps are short
 * @param served of serving, the step
 * @returns undefined where an adapter does not time kernels one by one
 */
export async function timeAlone(
  group: Pick<RankGroup, "ask" | "askAll">,
  program: Program,
  least: number,
  most: number,
  served?: ServedStep,
): Promise<Measured | undefined> {
  const asked = served === undefined ? {} : { served };
  const recorded = await group.askAll("record", asked);
  const stepMs = Math.max(...recorded.map((rank) => rank.stepMs));
  const repeats = Math.max(least, Math.min(most, Math.floor(aloneMs / stepMs)));
  // One by one, as measured steps are asked for, and looked at when all is over: each begins as those do.
  const warmups = Math.max(1, repeats >> 2);
  const stepsOf = async (rank: number): Promise<StepAlone[]> => {
    const taken: StepAlone[] = [];
    for (let left = warmups + repeats - 1; left >= 0; left--) {
      taken.push(await group.ask(rank, "exclusive", { ...asked, isLast: left === 0 }));
    }
    return taken.slice(warmups);
  };
  const byRank: StepAlone[][] = [];
  for (const { rank } of program.ranks) byRank.push(await stepsOf(rank));
  const costs = byRank.map((own, rank) =>
    own.flatMap((step) => costsAlone(step, program.ranks[rank]?.instructions ?? []) ?? []),
  );
  if (costs.some((own) => own.length < repeats)) return undefined;
  return {
    repeats: Array.from({ length: repeats }, (_, i) => costs.flatMap((own) => own[i] ?? [])),
    latencyMs: latencyOf(recorded.map(({ signals }) => signals)),
  };
}
