// How many parameters a model has, exactly, from its description.
//
// As model cards count them: embedding and head belong to it, a tied head counts once. Active are those
// that one token passes: of the experts its `topK`, of all else everything. Some cards leave the embedding
// out of the active ones, because a token reads one row of it; `byPart` lets a reader do the same.

import type { LatentAttention } from "./layers/attention.ts";
import type { DeltaHeads } from "./layers/gated_delta.ts";
import { isBiasedNorm } from "./layers/norm.ts";
import type { Model } from "./plan.ts";

export interface ParameterCount {
  readonly total: number;
  /** Passed by one token. */
  readonly active: number;
  /** Of the total; they add up to it. */
  readonly byPart: ParameterParts;
}

export interface ParameterParts {
  readonly embedding: number;
  /** Learned positions. */
  readonly positions: number;
  readonly attention: number;
  /** Dense MLPs. */
  readonly mlp: number;
  /** Routed experts. */
  readonly experts: number;
  readonly sharedExperts: number;
  readonly router: number;
  readonly norms: number;
  /** What else the model is described with. */
  readonly other: number;
  /** 0 where it is tied to the embedding. */
  readonly head: number;
}

export function countParameters(model: Model): ParameterCount {
  const { layers, hidden, vocabulary = 0, positions, moe, tiedEmbeddings } = model;
  const denseLayers = new Set(moe?.denseLayers?.filter((index) => index < layers));
  const expertLayers = moe === undefined ? 0 : layers - denseLayers.size;
  const mlpLayers = layers - expertLayers + (moe?.dense === true ? expertLayers : 0);
  const others = otherMixersOf(model);
  const perExpert = moe === undefined ? 0 : feedForward(model, moe.ffn, "experts");
  const byPart: ParameterParts = {
    embedding: vocabulary * hidden,
    positions: positions?.kind === "learned" ? (positions.count ?? 0) * hidden : 0,
    attention:
      (layers - others.layers) *
        ((model.latent ? latentOf(model, model.latent) : attentionOf(model)) +
          (model.sinks === true ? model.heads : 0) +
          indexerOf(model)) +
      others.parameters,
    mlp: mlpLayers * feedForward(model, model.ffn),
    experts: expertLayers * (moe?.experts ?? 0) * perExpert,
    sharedExperts: expertLayers * sharedOf(model),
    router: expertLayers * (moe?.experts ?? 0) * routerOf(model),
    norms: normsOf(model, moe?.dense === true ? expertLayers : 0),
    other: Object.values(model.otherParameters ?? {}).reduce((sum, each) => sum + each, 0),
    head:
      (tiedEmbeddings === true ? 0 : vocabulary * hidden) +
      (model.biases?.includes("head") === true ? vocabulary : 0),
  };
  const total = Object.values(byPart).reduce((sum, part: number) => sum + part, 0);
  const idle = moe === undefined ? 0 : expertLayers * (moe.experts - moe.topK) * perExpert;
  return { total, active: total - Math.max(0, idle), byPart };
}

/** Query, key, value and output projections, and a gate. */
function attentionOf(model: Model): number {
  const { hidden, heads, kvHeads, headDim, biases, attentionOutputGate } = model;
  const widths = headDim * (heads + 2 * kvHeads);
  return (
    hidden * widths +
    (attentionOutputGate === true ? 2 : 1) * heads * headDim * hidden +
    (biases?.includes("qkv") === true ? widths : 0) +
    (biases?.includes("attention-output") === true ? hidden : 0) +
    qkNormOf(model)
  );
}

function qkNormOf({ heads, kvHeads, headDim, qkNorm }: Model): number {
  if (qkNorm === "all-heads" || qkNorm === "each-head") return (heads + kvHeads) * headDim;
  return qkNorm === true ? 2 * headDim : 0;
}

function countOf(layers: number | readonly number[] = 0): number {
  return typeof layers === "number" ? layers : layers.length;
}

/** Layers that have something in place of attention, and the parameters of all of them. */
function otherMixersOf(model: Model) {
  const { layers, otherMixers = [], gatedDelta } = model;
  const delta = new Set(gatedDelta?.layers.filter((index) => index < layers));
  const counts = otherMixers.map((mixer) => Math.min(layers, countOf(mixer.layers)));
  return {
    layers: Math.min(
      layers,
      counts.reduce((sum, count) => sum + count, delta.size),
    ),
    parameters: otherMixers.reduce(
      (sum, { parameters }, i) => sum + (counts[i] ?? 0) * parameters,
      gatedDelta === undefined ? 0 : delta.size * deltaOf(model, gatedDelta),
    ),
  };
}

/** Queries, keys, values and a gate, and two numbers of each value head; a convolution, a norm of a head, and out. */
function deltaOf(
  { hidden }: Model,
  { keyHeads, valueHeads, keyDim, valueDim, kernel }: DeltaHeads,
): number {
  const [keys, values] = [keyHeads * keyDim, valueHeads * valueDim];
  return (
    hidden * (2 * keys + 3 * values + 2 * valueHeads) +
    kernel * (2 * keys + values) +
    2 * valueHeads +
    valueDim
  );
}

/** Down to the ranks, a norm at each, up to the heads, and out. */
function latentOf(
  { hidden, heads, headDim, biases }: Model,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
): number {
  const queries = heads * (headDim + rotaryDim);
  const queryParameters =
    queryRank === undefined ? hidden * queries : queryRank * (hidden + 1 + queries);
  return (
    queryParameters +
    hidden * (keyValueRank + rotaryDim) +
    keyValueRank * (1 + heads * (headDim + valueDim)) +
    heads * valueDim * hidden +
    (biases?.includes("attention-output") === true ? hidden : 0)
  );
}

/** Queries from their rank, one key with a norm, and a weight for each head. */
function indexerOf({ hidden, latent, sparseAttention }: Model): number {
  if (sparseAttention === undefined) return 0;
  const { heads, headDim } = sparseAttention;
  return (
    (latent?.queryRank ?? hidden) * heads * headDim +
    hidden * headDim +
    2 * headDim +
    hidden * heads
  );
}

function feedForward(
  { hidden, gated, biases }: Model,
  ffn: number,
  bias: "mlp" | "experts" = "mlp",
): number {
  return (
    (gated ? 3 : 2) * hidden * ffn +
    (biases?.includes(bias) === true ? (gated ? 2 : 1) * ffn + hidden : 0)
  );
}

/** Of one expert. */
function routerOf({ hidden, moe, biases }: Model): number {
  return (
    hidden + (moe?.routingBias === true ? 1 : 0) + (biases?.includes("router") === true ? 1 : 0)
  );
}

function sharedOf(model: Model): number {
  const { sharedFfn, sharedGate } = model.moe ?? {};
  if (sharedFfn === undefined) return 0;
  return feedForward(model, sharedFfn) + (sharedGate === true ? model.hidden : 0);
}

/** Around attention and MLP, and one before the head. */
function normsOf(model: Model, blocksWithBoth: number): number {
  const { layers, hidden, norm, normBias, parallelResidual, postNorms, vocabulary, embeddingNorm } =
    model;
  const isBiased = isBiasedNorm({ norm, ...(normBias === undefined ? {} : { bias: normBias }) });
  const isShared = parallelResidual === "shared-norm";
  const sublayers = 2 * layers + blocksWithBoth;
  const before = isShared ? layers : sublayers;
  const inBlocks =
    parallelResidual === undefined && postNorms === true ? before + sublayers : before;
  const atEnds = vocabulary === undefined ? 0 : embeddingNorm === true ? 2 : 1;
  return (inBlocks + atEnds) * (isBiased ? 2 : 1) * hidden;
}
