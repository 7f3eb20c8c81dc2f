// Which variants the kernels of a run take: what is kept of earlier tuning, what this run adds, and the record of
// both.

import type { AdapterReport } from "../gpu/adapter.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { KernelChoice } from "../result/result.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import type { CallUse } from "../runtime/program_calls.ts";
import { mergeTuned, type TunedCall } from "../tuning/tuned_call.ts";
import { keepTuning, readTuning } from "../tuning/tuning_cache.ts";

/** By adapter id. */
export type Findings = ReadonlyMap<string, readonly TunedCall[]>;

function once(placement: readonly AdapterReport[]): AdapterReport[] {
  return [...new Map(placement.map((report) => [report.choice.id, report])).values()];
}

export async function readFindings(placement: readonly AdapterReport[]): Promise<Findings> {
  return new Map(
    await Promise.all(
      once(placement).map(async (report) => [report.choice.id, await readTuning(report)] as const),
    ),
  );
}

/**
 * Tunes and keeps what is found out as it comes: an interruption loses little. Gives what is new.
 *
 * @param served of serving: a step of each phase
 */
export async function tunePool(
  pool: RankPool,
  placement: readonly AdapterReport[],
  budgetMs: number,
  onFound: (learnt: Findings) => void,
  served?: readonly ServedStep[],
): Promise<Findings> {
  const reports = new Map(once(placement).map((report) => [report.choice.id, report]));
  const learnt = new Map<string, readonly TunedCall[]>();
  await pool.tune(
    budgetMs,
    async (adapter, tuned) => {
      learnt.set(adapter, mergeTuned(learnt.get(adapter) ?? [], tuned));
      const report = reports.get(adapter);
      if (report !== undefined) await keepTuning(report, tuned);
      onFound(learnt);
    },
    served,
  );
  return learnt;
}

/** Later findings replace earlier ones. */
export function mergeFindings(known: Findings, learnt: Findings): Findings {
  return new Map(
    [...new Set([...known.keys(), ...learnt.keys()])].map((adapter) => [
      adapter,
      mergeTuned(known.get(adapter) ?? [], learnt.get(adapter) ?? []),
    ]),
  );
}

/** One entry per adapter, kernel and shape, the most arithmetic of a step first. */
export function recordKernelChoices(
  { adapters, calls }: Pick<RankPool, "adapters" | "calls">,
  known: Findings,
  learnt: Findings,
): KernelChoice[] {
  const choices = new Map<string, KernelChoice>();
  for (const [rank, uses] of calls.entries()) {
    const adapter = adapters[rank]?.choice.id ?? "";
    const isNew = new Set(learnt.get(adapter)?.map(({ call }) => call));
    const found = new Map(
      mergeTuned(known.get(adapter) ?? [], learnt.get(adapter) ?? []).map((one) => [one.call, one]),
    );
    for (const use of uses) {
      const key = `${adapter} ${use.call}`;
      const before = choices.get(key);
      if (before !== undefined) {
        const ranks = [...before.ranks, rank];
        choices.set(key, { ...before, ranks, uses: before.uses + use.uses });
        continue;
      }
      const tuned = found.get(use.call);
      choices.set(key, {
        adapter,
        kernel: use.kernel,
        dtype: use.dtype,
        shape: { ...use.shape },
        call: use.call,
        ranks: [rank],
        uses: use.uses,
        flops: use.flops,
        variant: use.variant,
        expected: use.expected,
        reason: reasonOf(use, tuned, isNew.has(use.call)),
        variants: use.variants,
        tried: tuned?.tried ?? [],
      });
    }
  }
  return [...choices.values()].toSorted((a, b) => b.uses * b.flops - a.uses * a.flops);
}

function reasonOf(
  use: CallUse,
  tuned: TunedCall | undefined,
  isNew: boolean,
): KernelChoice["reason"] {
  if (use.variants === 1) return "only";
  if (tuned !== undefined) return isNew ? "tuned" : "cached";
  return use.pending ? "untuned" : "similar";
}
