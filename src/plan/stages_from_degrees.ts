// Plans written as a model and parallel degrees: one stage of transformer blocks per pipeline rank.

import { attentionOfBlock } from "./attention_of_block.ts";
import { stageMesh, type StageMesh } from "./mesh.ts";
import { paddedVocabulary } from "./padded_vocabulary.ts";
import type { Degrees, Model, Stage } from "./plan.ts";
import type { Layer } from "./layers/layers.ts";
import type { NormLayer } from "./layers/norm.ts";
import type { PlanFile } from "./schema.ts";
import type { ModelFile } from "./schema_model.ts";

const epsilon = 1e-5;

export function degreesOf({ parallel = {} }: PlanFile): Degrees {
  const { tensorGroup: _, expertGroup: _unused, ...degrees } = parallel;
  return { tensor: 1, pipeline: 1, data: 1, expert: 1, ...degrees };
}

export function modelOf(file: ModelFile): Model {
  const { moe, ...rest } = file;
  const ffn = file.ffn ?? 4 * file.hidden;
  const topK = moe?.topK ?? 1;
  return {
    kvHeads: file.heads,
    // Where hidden is no multiple of heads, a rule says so.
    headDim: Math.max(1, Math.floor(file.hidden / file.heads)),
    gated: false,
    causal: true,
    norm: "rms",
    ...rest,
    ffn,
    ...(moe === undefined
      ? {}
      : { moe: { ffn, renormalise: topK > 1, dense: false, ...moe, topK } }),
  };
}

/** Where the layers of one stage run. */
interface Place extends StageMesh {
  /** Of norms and residuals, where sequence parallelism splits them. */
  readonly tokenwise: Pick<NormLayer, "split">;
}

export function stagesFromDegrees(file: PlanFile, model: Model, degrees: Degrees): Stage[] {
  const { pipeline } = degrees;
  const { vocabulary = model.vocabulary } = paddedVocabulary(model.vocabulary, degrees) ?? {};
  const ends = { ...model, ...(vocabulary === undefined ? {} : { vocabulary }) };
  const starts = firstLayers(model, degrees);
  const places = Array.from({ length: pipeline }, (_, p): Place => ({
    ...stageMesh(file, degrees, p),
    tokenwise: degrees.sequence === true && degrees.tensor > 1 ? { split: "tokens" } : {},
  }));
  return starts.map((first, s): Stage => {
    const place = places[s % pipeline] ?? { groups: [], expertGroups: [], tokenwise: {} };
    const end = starts[s + 1] ?? model.layers;
    const layers: Layer[] = [];
    if (s === 0) layers.push(...embeddingOf(ends, place));
    for (let block = first; block < end; block++)
      layers.push(...blockOf(model, place, block, layers.length));
    if (s === starts.length - 1) layers.push(...headOf(ends, place, layers.length));
    return { name: starts.length === 1 ? "blocks" : `blocks_${s}`, layers };
  });
}

/**
 * The first layer of each stage: chunks of all pipeline ranks in turn, p stages or v · p. Even where a rule
 * refuses the division, no layer is lost.
 */
function firstLayers({ layers }: Model, degrees: Degrees): number[] {
  const { pipeline, layersPerStage } = degrees;
  const chunks = pipeline === 1 ? 1 : Math.min(degrees.virtualStages ?? 1, layers);
  const stages = pipeline * chunks;
  const even = Array.from({ length: stages }, (_, s) => Math.floor((s * layers) / stages));
  if (layersPerStage?.length !== pipeline) return even;
  let next = 0;
  const starts = even.map((_, s) => {
    const count = (layersPerStage[s % pipeline] ?? 0) / chunks;
    next += count;
    return next - count;
  });
  return next === layers && starts.every(Number.isInteger) ? starts : even;
}

function isSplit({ groups }: Place): boolean {
  return (groups[0]?.length ?? 1) > 1;
}

/** The vocabulary is split over the tensor group, as Megatron-LM does. */
function embeddingOf({ vocabulary, hidden }: Model, place: Place): Layer[] {
  return vocabulary === undefined
    ? []
    : [
        {
          op: "embedding",
          name: "0.embedding",
          groups: place.groups,
          vocabulary,
          hidden,
          split: isSplit(place) ? "row" : "replicated",
        },
      ];
}

function headOf(model: Model, place: Place, at: number): Layer[] {
  const { vocabulary, hidden, norm, tiedEmbeddings } = model;
  return vocabulary === undefined
    ? []
    : [
        {
          op: "norm",
          name: `${at}.norm`,
          groups: place.groups,
          norm,
          hidden,
          epsilon,
          ...place.tokenwise,
        },
        {
          op: "linear",
          name: `${at + 1}.linear`,
          groups: place.groups,
          in: hidden,
          out: vocabulary,
          split: isSplit(place) ? "column" : "replicated",
          activation: "none",
          ...(tiedEmbeddings === true ? { tied: true } : {}),
        },
      ];
}

/**
 * norm, attention, residual; then norm, MLP, residual; then or instead norm, experts, residual. `block`
 * counts through the model, `at` is the index within the stage of the block's first layer.
 */
function blockOf(
  model: Model,
  { groups, expertGroups, tokenwise }: Place,
  block: number,
  at: number,
): Layer[] {
  const { hidden, ffn } = model;
  const moe = model.moe?.denseLayers?.includes(block) === true ? undefined : model.moe;
  const activation = model.gated ? "silu" : "gelu";
  const layers: Layer[] = [];
  const base = (op: Layer["op"]) => ({ name: `${at + layers.length}.${op}`, groups });
  /** Pre-norm: the residual adds what went into the norm. */
  const around = (inner: () => Layer): void => {
    const from = at + layers.length;
    layers.push({
      op: "norm",
      ...base("norm"),
      norm: model.norm,
      hidden,
      epsilon,
      ...tokenwise,
    });
    layers.push(inner());
    layers.push({ op: "residual", ...base("residual"), hidden, from, ...tokenwise });
  };
  around(() => ({ ...base("attention"), ...attentionOfBlock(model, block, epsilon) }));
  if (moe === undefined || moe.dense) {
    around(() => ({ op: "mlp", ...base("mlp"), hidden, ffn, activation }));
  }
  if (moe !== undefined) {
    const { experts, redundantExperts, topK, ffn: expertFfn } = moe;
    const { capacityFactor, renormalise, sharedFfn } = moe;
    around(() => ({
      op: "moe",
      ...base("moe"),
      hidden,
      ffn: expertFfn,
      activation,
      experts,
      ...(redundantExperts === undefined ? {} : { redundantExperts }),
      topK,
      ...(capacityFactor === undefined ? {} : { capacityFactor }),
      renormalise,
      ...(sharedFfn === undefined ? {} : { sharedFfn }),
      expertGroups,
    }));
  }
  return layers;
}
