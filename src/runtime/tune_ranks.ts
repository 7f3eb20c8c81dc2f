// Has the ranks of a program try variants of their kernels: one rank at a time, so that nothing else runs.

import type { AdapterChoice } from "../gpu/adapter.ts";
import type { ServedStep } from "../program/serving/served.ts";
import { mergeTuned, type TunedCall } from "../tuning/tuned_call.ts";
import type { CallUse } from "./program_calls.ts";
import type { RankGroup } from "./rank_group.ts";

/** Is given what is new every few seconds. */
export type OnFound = (adapter: string, tuned: readonly TunedCall[]) => Promise<void>;

/**
 * What one rank finds out serves all on the same adapter, and all take the variants that won.
 *
 * @param calls per rank, as it was opened
 * @param known by adapter id, as the ranks were opened with it
 * @returns `calls` with the variants that they take now
 */
export async function tuneRanks(
  group: RankGroup,
  choices: readonly AdapterChoice[],
  calls: readonly (readonly CallUse[])[],
  known: ReadonlyMap<string, readonly TunedCall[]>,
  budgetMs: number,
  onFound: OnFound,
  served?: readonly ServedStep[],
): Promise<readonly (readonly CallUse[])[]> {
  const isPending = (rank: number): boolean => calls[rank]?.some((use) => use.pending) === true;
  if (budgetMs <= 0 || !choices.some((_, rank) => isPending(rank))) return calls;
  const found = new Map(known);
  const knownOn = (id: string): readonly TunedCall[] => found.get(id) ?? [];
  const tuneOne = async (rank: number, id: string, share: number, phase?: ServedStep["phase"]) => {
    const end = performance.now() + share;
    for (let leftMs = share; leftMs > 0; leftMs = end - performance.now()) {
      const asked = { budgetMs: leftMs, known: knownOn(id), ...(phase && { phase }) };
      const tuned = await group.ask(rank, "tune", asked);
      if (tuned.length === 0) break;
      found.set(id, mergeTuned(knownOn(id), tuned));
      await onFound(id, tuned);
    }
  };
  // Variants are tried on what a step leaves in the buffers.
  for (const step of served ?? [undefined]) {
    await (step === undefined
      ? group.askAll("step", { count: 1 })
      : group.askAll("serve", { steps: [step] }));
    for (const [rank, { id }] of choices.entries()) {
      if (isPending(rank)) await tuneOne(rank, id, budgetMs / (served?.length ?? 1), step?.phase);
    }
  }
  return Promise.all(
    choices.map(async ({ id }, rank) => group.ask(rank, "adopt", { known: knownOn(id) })),
  );
}
