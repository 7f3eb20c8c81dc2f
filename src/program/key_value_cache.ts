// Bytes of keys and values that one rank keeps, as far as its layers look back.

import { bytesPerElement } from "../kernels/storage.ts";
import type { AttentionLayer } from "../plan/layers/attention.ts";
import type { Plan } from "../plan/plan.ts";

/** Bytes of one value in the workload's dtype. */
export function valueBytes({ workload }: Plan): number {
  return bytesPerElement(workload.dtype);
}

interface CacheBytes {
  readonly total: number;
  /** As little as windows and other forms of attention may leave. */
  readonly least: number;
}

/**
 * Keys and values of every sample of the batch, where a causal model generates.
 *
 * @param own attention layers that the rank takes part in
 */
export function cacheBytes(plan: Plan, own: readonly AttentionLayer[]): CacheBytes {
  const { model } = plan;
  const { batch, sequence } = plan.workload;
  if (sequence === 1) return { total: 0, least: 0 };
  /** Had no layer a window, and as each layer's own window leaves it. */
  let [all, kept] = [0, 0];
  for (const layer of own) {
    if (!layer.causal) continue;
    const { latent, window = sequence, chunk = sequence } = layer;
    const tokens = (batch * sequence) / layer.groups.length;
    const members = layer.groups[0]?.length ?? 1;
    const values =
      latent === undefined
        ? 2 * tokens * Math.max(1, layer.kvHeads / members) * layer.headDim
        : tokens * (latent.keyValueRank + latent.rotaryDim);
    all += values;
    kept += values * Math.min(1, window / sequence, chunk / sequence);
  }
  const isKnown = (model?.otherFeatures ?? []).length === 0;
  const { tokens = sequence, layers: windowed = [] } = model?.slidingWindow ?? {};
  if (typeof windowed !== "number") {
    const bytes = kept * valueBytes(plan);
    return { total: bytes, least: isKnown ? bytes : 0 };
  }
  /** @param share of the layers that keep a window only */
  const bytes = (share: number): number =>
    all * valueBytes(plan) * (1 - share * (1 - Math.min(1, tokens / sequence)));
  const usual = windowed / Math.max(1, model?.layers ?? 1);
  // Which layers have a window the plan does not say: at best all that can be on this rank.
  const atBest = Math.min(1, windowed / Math.max(1, own.length));
  return { total: bytes(usual), least: isKnown ? bytes(atBest) : 0 };
}
