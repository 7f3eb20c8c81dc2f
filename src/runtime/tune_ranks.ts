// Has the ranks of a program try variants of their kernels: one rank at a time, so that nothing else runs.

import type { AdapterChoice } from "../gpu/adapter.ts";
import type { ServedStep } from "../program/serving/served.ts";
import { mergeTuned, type TunedCall } from "../tuning/tuned_call.ts";
import type { CallUse } from "./program_calls.ts";
import type { Answer } from "./protocol.ts";
import type { RankGroup } from "./rank_group.ts";

/** Is given what is new every few seconds. */
export type OnFound = (adapter: string, tuned: readonly TunedCall[]) => Promise<void>;

/**
 * What one rank finds out serves all on the same adapter, and all take the variants that won. Nothing is tried where
 * a single step takes longer than there is time.
 *
 * @param calls per rank, as it was opened
 * @param budgetMs on each adapter: ranks go on with what those before them left of it
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
  /** Gives what is left of the time. */
  const tuneOne = async (rank: number, id: string, share: number) => {
    const end = performance.now() + share;
    let leftMs = share;
    while (leftMs > 0) {
      const tuned = await group.ask(rank, "tune", { budgetMs: leftMs, known: knownOn(id) });
      leftMs = end - performance.now();
      if (tuned.length === 0) break;
      found.set(id, mergeTuned(knownOn(id), tuned));
      await onFound(id, tuned);
    }
    return leftMs;
  };
  // Variants are tried on what kernels read in a step.
  for (const step of served ?? [undefined]) {
    const stepped = await (step === undefined
      ? group.askAll("step", { count: 1, keepsInputs: true })
      : group.askAll("serve", { steps: [step], keepsInputs: true }));
    // Kernels must run many times to be compared.
    if (wallMs(stepped) > budgetMs) continue;
    const left = new Map<string, number>();
    for (const [rank, { id }] of choices.entries()) {
      const own = left.get(id) ?? budgetMs / (served?.length ?? 1);
      if (isPending(rank) && own > 0) left.set(id, await tuneOne(rank, id, own));
    }
  }
  return Promise.all(
    choices.map(async ({ id }, rank) => group.ask(rank, "adopt", { known: knownOn(id) })),
  );
}

function wallMs(ranks: readonly Answer<"step">[]): number {
  const traces = ranks.flatMap((rank) => rank.traces);
  const begin = Math.min(...traces.map(({ startMs }) => startMs));
  return Math.max(...traces.map(({ endMs }) => endMs)) - begin;
}
