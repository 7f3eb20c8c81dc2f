// Bytes of keys and values that one rank keeps, as far as its layers look back.

import { bytesPerElement } from "../kernels/storage.ts";
import type { AttentionLayer } from "../plan/layers/attention.ts";
import { deltaColumns, type GatedDeltaLayer } from "../plan/layers/gated_delta.ts";
import type { Plan, Precision } from "../plan/plan.ts";
import { contextTokens, pagesOf } from "../plan/serving.ts";
import { slotsOfReplicas } from "./serving/caches.ts";

/** Bytes of one value in the workload's dtype. */
export function valueBytes({ workload }: Plan): number {
  return bytesPerElement(workload.dtype);
}

interface CacheBytes {
  readonly total: number;
  /** As little as windows, other forms of attention and states of fewer bits may leave. */
  readonly least: number;
}

interface Placed<Layer> {
  readonly layer: Layer;
  readonly replica: number;
}

/** Of every sample of the batch, where a causal model generates; states in f32. @param own of a rank */
export function cacheBytes(
  plan: Plan,
  own: readonly Placed<AttentionLayer | GatedDeltaLayer>[],
): CacheBytes {
  const { dtype } = cachedTokens(plan);
  const states = (of: Precision): number =>
    own.reduce((sum, placed) => sum + stateBytes(plan, placed, of), 0);
  const attentions = own.flatMap(({ layer, replica }) =>
    layer.op === "attention" ? { layer, replica } : [],
  );
  const { total, least } = attentionBytes(plan, attentions);
  return { total: total + states("f32"), least: least + states(dtype) };
}

/** Of linear attention: states, and the tokens that the next ones' convolution sees. */
function stateBytes(
  plan: Plan,
  { layer, replica }: Placed<AttentionLayer | GatedDeltaLayer>,
  of: Precision,
): number {
  if (layer.op === "attention") return 0;
  const { slotsOf, sequence, dtype } = cachedTokens(plan);
  if (sequence === 1) return 0;
  const { valueHeads, keyDim, valueDim, kernel, groups } = layer;
  const perSequence =
    bytesPerElement(of) * valueHeads * keyDim * valueDim +
    (kernel - 1) * deltaColumns(layer) * bytesPerElement(dtype);
  return (slotsOf(groups.length, replica) * perSequence) / (groups[0]?.length ?? 1);
}

function attentionBytes(plan: Plan, own: readonly Placed<AttentionLayer>[]): CacheBytes {
  const { model } = plan;
  const { slotsOf, sequence, pagedTokens, dtype } = cachedTokens(plan);
  if (sequence === 1) return { total: 0, least: 0 };
  /** Had no layer a window, and as each layer's own window leaves it. */
  let [all, kept] = [0, 0];
  for (const { layer, replica } of own) {
    if (!layer.causal) continue;
    const { latent, window = sequence, chunk = sequence } = layer;
    const tokens = slotsOf(layer.groups.length, replica) * pagedTokens;
    const members = layer.groups[0]?.length ?? 1;
    const values =
      latent === undefined
        ? 2 * tokens * Math.max(1, layer.kvHeads / members) * layer.headDim
        : tokens * (latent.keyValueRank + latent.rotaryDim);
    all += values;
    kept += values * Math.min(1, window / sequence, chunk / sequence);
  }
  const size = bytesPerElement(dtype);
  const isKnown = (model?.otherFeatures ?? []).length === 0;
  const { tokens = sequence, layers: windowed = [] } = model?.slidingWindow ?? {};
  /** Caches of a program that serves keep all. */
  const inProgram = (bytes: number): number =>
    plan.workload.phase === undefined ? bytes : all * size;
  if (typeof windowed !== "number") {
    return { total: inProgram(kept * size), least: isKnown ? kept * size : 0 };
  }
  /** @param share of the layers that keep a window only */
  const bytes = (share: number): number =>
    all * size * (1 - share * (1 - Math.min(1, tokens / sequence)));
  const usual = windowed / Math.max(1, model?.layers ?? 1);
  // Which layers have a window the plan does not say: at best all that can be on this rank.
  const atBest = Math.min(1, windowed / Math.max(1, own.length));
  return { total: inProgram(bytes(usual)), least: isKnown ? bytes(atBest) : 0 };
}

/** Requests whose keys and values are kept, and tokens of each: in whole pages as many as these have room for. */
function cachedTokens({ workload }: Plan) {
  const { batch, sequence, dtype, serving, phase } = workload;
  const evenly = (replicas: number): number => batch / replicas;
  if (serving === undefined) return { slotsOf: evenly, sequence, pagedTokens: sequence, dtype };
  const tokens = contextTokens(serving);
  const { pages, pageTokens } = pagesOf(serving, tokens);
  return {
    slotsOf: (replicas: number, replica: number): number =>
      phase === undefined ? evenly(replicas) : (slotsOfReplicas(phase, replicas)[replica] ?? 0),
    sequence: tokens,
    pagedTokens: pages * pageTokens,
    dtype: serving.cacheDtype,
  };
}
