// Plans written as a model and parallel degrees: one stage of transformer blocks per pipeline rank.

import { networkOf } from "./activation.ts";
import { stageMesh } from "./mesh.ts";
import { blockOf, embeddingOf, headOf, type Place } from "./model_layers.ts";
import { paddedVocabulary } from "./padded_vocabulary.ts";
import type { Degrees, Model, Stage } from "./plan.ts";
import type { Layer } from "./layers/layers.ts";
import type { PlanFile } from "./schema.ts";
import type { ModelFile } from "./schema_model.ts";

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
    ...networkOf({ gated: false, ...file }),
    causal: true,
    norm: "rms",
    ...rest,
    ffn,
    ...(moe === undefined
      ? {}
      : { moe: { ffn, renormalise: topK > 1, dense: false, ...moe, topK } }),
  };
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
