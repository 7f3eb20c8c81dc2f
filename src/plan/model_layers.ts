// The layers that a model's description stands for: its embedding, one of its blocks, its head.

import { attentionOfBlock } from "./attention_of_block.ts";
import type { EmbeddingLayer } from "./layers/embedding.ts";
import type { Layer } from "./layers/layers.ts";
import type { LinearLayer } from "./layers/linear.ts";
import type { MoeLayer } from "./layers/moe.ts";
import type { NormLayer } from "./layers/norm.ts";
import type { StageMesh } from "./mesh.ts";
import type { Bias, Model } from "./plan.ts";

/** Where the layers of one stage run. */
export interface Place extends StageMesh {
  /** Of norms, residuals and branches, where sequence parallelism splits them. */
  readonly tokenwise: Pick<NormLayer, "split">;
}

function isSplit({ groups }: Place): boolean {
  return (groups[0]?.length ?? 1) > 1;
}

function isBiased({ biases }: Model, part: Bias): boolean {
  return biases?.includes(part) === true;
}

/** Nothing for a field that the model does not have. */
function given<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one key of the record is the one that is given
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<Key, Value>>;
}

/** Of all norms. */
function epsilonOf({ normEpsilon = 1e-5 }: Model): number {
  return normEpsilon;
}

function normOf(
  model: Model,
  { groups, tokenwise }: Place,
  at: number,
): Extract<Layer, { op: "norm" }> {
  return {
    op: "norm",
    name: `${at}.norm`,
    groups,
    norm: model.norm,
    hidden: model.hidden,
    epsilon: epsilonOf(model),
    ...given("bias", model.normBias),
    ...given("unitOffset", model.unitOffsetNorms),
    ...tokenwise,
  };
}

/** The vocabulary is split over the tensor group, as Megatron-LM does. */
export function embeddingOf(model: Model, place: Place): Layer[] {
  const { vocabulary, hidden, positions, embeddingScale, embeddingNorm } = model;
  if (vocabulary === undefined) return [];
  const { kind, count, offset } = positions ?? {};
  const learned: Pick<EmbeddingLayer, "positions"> =
    kind === "learned" && count !== undefined
      ? { positions: { count, ...given("offset", offset) } }
      : {};
  const embedding: EmbeddingLayer = {
    op: "embedding",
    name: "0.embedding",
    groups: place.groups,
    vocabulary,
    hidden,
    split: isSplit(place) ? "row" : "replicated",
    ...given("scale", embeddingScale),
    ...learned,
  };
  return embeddingNorm === true ? [embedding, normOf(model, place, 1)] : [embedding];
}

export function headOf(model: Model, place: Place, at: number): Layer[] {
  const { vocabulary, hidden, tiedEmbeddings, logitScale, logitSoftcap } = model;
  if (vocabulary === undefined) return [];
  const capped: Pick<LinearLayer, "activation" | "cap"> =
    logitSoftcap === undefined
      ? { activation: "none" }
      : { activation: "softcap", cap: logitSoftcap };
  const head: LinearLayer = {
    op: "linear",
    name: `${at + 1}.linear`,
    groups: place.groups,
    in: hidden,
    out: vocabulary,
    split: isSplit(place) ? "column" : "replicated",
    ...capped,
    ...(tiedEmbeddings === true ? { tied: true } : {}),
    ...(isBiased(model, "head") ? { bias: true } : {}),
    ...given("scale", logitScale),
  };
  return [normOf(model, place, at), head];
}

/** What a block is made of, one layer after the other. */
interface Block {
  readonly model: Model;
  readonly place: Place;
  /** Index within the stage of the block's first layer. */
  readonly at: number;
  readonly layers: Layer[];
}

type Named = Pick<Layer, "name" | "groups">;

function nextOf({ at, layers }: Block): number {
  return at + layers.length;
}

function named(block: Block, op: Layer["op"]): Named {
  return {
    name: `${nextOf(block)}.${op}`,
    groups: block.place.groups,
  };
}

function addNorm({ model, place, at, layers }: Block): void {
  void layers.push(normOf(model, place, at + layers.length));
}

function addResidual(block: Block, from: number, scale?: number): void {
  void block.layers.push({
    op: "residual",
    ...named(block, "residual"),
    hidden: block.model.hidden,
    from,
    ...given("scale", scale),
    ...block.place.tokenwise,
  });
}

function addBranch(block: Block, from: number): void {
  void block.layers.push({
    op: "branch",
    ...named(block, "branch"),
    hidden: block.model.hidden,
    from,
    ...block.place.tokenwise,
  });
}

/**
 * Attention, then MLP, or instead or also experts, each with its norms and its residual; or attention and MLP side by side.
 *
 * @param index counts through the model
 * @param at the index within the stage of the block's first layer
 */
export function blockOf(model: Model, place: Place, index: number, at: number): Layer[] {
  const block: Block = { model, place, at, layers: [] };
  const moe = model.moe?.denseLayers?.includes(index) === true ? undefined : model.moe;
  const networks = [
    ...(moe === undefined || moe.dense ? [mlpOf] : []),
    ...(moe === undefined ? [] : [moeOf(moe)]),
  ];
  if (model.parallelResidual === undefined) {
    for (const inner of [mixerOf(model, index), ...networks]) addAround(block, inner);
  } else addSideBySide(block, mixerOf(model, index), networks);
  return block.layers;
}

type Inner = (block: Block) => Layer;

/** The residual adds what came before the norms. */
function addAround(block: Block, inner: Inner): void {
  const { postNorms, residualScale } = block.model;
  const from = nextOf(block);
  if (postNorms !== "only") addNorm(block);
  block.layers.push(inner(block));
  if (postNorms === true || postNorms === "only") addNorm(block);
  addResidual(block, from, residualScale);
}

/** Attention and networks read the same; what they give is added up, then what came before the block. */
function addSideBySide(block: Block, attention: Inner, networks: readonly Inner[]): void {
  const { parallelResidual, residualScale } = block.model;
  const start = nextOf(block);
  addNorm(block);
  const normed = nextOf(block);
  block.layers.push(attention(block));
  for (const inner of networks) {
    const sideBySide = nextOf(block);
    addBranch(block, parallelResidual === "own-norms" ? start : normed);
    if (parallelResidual === "own-norms") addNorm(block);
    block.layers.push(inner(block));
    addResidual(block, sideBySide);
  }
  addResidual(block, start, residualScale);
}

/** @param index counts through the model */
function mixerOf({ gatedDelta }: Model, index: number): Inner {
  if (gatedDelta?.layers.includes(index) !== true) return attentionOf(index);
  const { layers: _, ...heads } = gatedDelta;
  return (block) => ({
    op: "gated-delta",
    ...named(block, "gated-delta"),
    hidden: block.model.hidden,
    ...heads,
    epsilon: epsilonOf(block.model),
  });
}

/** @param index counts through the model */
const attentionOf =
  (index: number): Inner =>
  (block) => ({
    ...named(block, "attention"),
    ...attentionOfBlock(block.model, index, epsilonOf(block.model)),
  });

const mlpOf: Inner = (block) => {
  const { hidden, ffn, activation, gated } = block.model;
  return {
    op: "mlp",
    ...named(block, "mlp"),
    hidden,
    ffn,
    activation,
    gated,
    ...(isBiased(block.model, "mlp") ? { bias: true } : {}),
  };
};

function moeOf(moe: NonNullable<Model["moe"]>): Inner {
  return (block): MoeLayer => {
    const { hidden, activation, gated } = block.model;
    const { experts, topK, ffn, renormalise } = moe;
    return {
      op: "moe",
      ...named(block, "moe"),
      hidden,
      ffn,
      activation,
      gated,
      experts,
      ...given("redundantExperts", moe.redundantExperts),
      topK,
      ...given("capacityFactor", moe.capacityFactor),
      renormalise,
      ...given("scoring", moe.scoring),
      ...given("routingBias", moe.routingBias),
      ...given("groupLimit", moe.groupLimit),
      ...given("routedScale", moe.routedScale),
      ...given("weighsInput", moe.weighsInput),
      ...given("auxLossCoeff", moe.auxLossCoeff),
      ...given("zLossCoeff", moe.zLossCoeff),
      ...given("sharedFfn", moe.sharedFfn),
      ...given("sharedGate", moe.sharedGate),
      ...(moe.sharedFfn !== undefined && isBiased(block.model, "mlp") ? { sharedBias: true } : {}),
      ...(isBiased(block.model, "experts") ? { expertBias: true } : {}),
      ...(isBiased(block.model, "router") ? { routerBias: true } : {}),
      expertGroups: block.place.expertGroups,
    };
  };
}
