// Mixtures of experts without latent attention: Mixtral, Qwen2-MoE, Qwen3-MoE.

import type { ModelFile } from "../schema_model.ts";
import {
  decoder,
  type Family,
  llamaDefaults,
  scaledPositions,
  withFeatures,
} from "./hf_decoder.ts";
import { mistral, qwenWindow } from "./hf_llama.ts";
import type { JsonFields } from "./json_fields.ts";

export const mixtral: Family = (fields) => {
  const model = mistral(fields);
  const experts = fields.needed("num_local_experts");
  const topK = fields.needed("num_experts_per_tok");
  if (model === undefined || experts === undefined || topK === undefined) return undefined;
  const { ffn = 4 * model.hidden } = model;
  return { ...model, moe: { experts, topK, ffn, renormalise: true } };
};

export const qwen2Moe: Family = (fields) => {
  const model = qwenMoe(fields, { biases: ["qkv"] });
  const sharedFfn = fields.needed("shared_expert_intermediate_size");
  if (model?.moe === undefined || sharedFfn === undefined) return undefined;
  return { ...model, moe: { ...model.moe, sharedFfn, sharedGate: true } };
};

export const qwen3Moe: Family = (fields) => {
  const biased = fields.flag("attention_bias") === true;
  return qwenMoe(fields, {
    ...(biased ? { biases: ["qkv", "attention-output"] } : {}),
    qkNorm: true,
  });
};

const qwenMoe = (fields: JsonFields, more: Partial<ModelFile>): ModelFile | undefined => {
  const model = decoder(fields, llamaDefaults);
  const experts = fields.needed("num_experts");
  const topK = fields.needed("num_experts_per_tok");
  const ffn = fields.needed("moe_intermediate_size");
  const renormalise = fields.flag("norm_topk_prob") ?? false;
  const everyNth = fields.count("decoder_sparse_step") ?? 1;
  const named = fields.value("mlp_only_layers");
  if (model === undefined || experts === undefined || topK === undefined || ffn === undefined) {
    return undefined;
  }
  const dense = denseLayersOf(
    model.layers,
    (layer) => (Array.isArray(named) && named.includes(layer)) || (layer + 1) % everyNth !== 0,
  );
  return withFeatures(
    qwenWindow(fields, {
      ...model,
      ...more,
      moe: { experts, topK, ffn, renormalise, ...denseLayersKey(dense) },
    }),
    ...scaledPositions(fields),
  );
};

/** More layers than a plan takes are left to the schema to refuse. */
export const denseLayersOf = (layers: number, isDense: (layer: number) => boolean): number[] =>
  Array.from({ length: Math.min(layers, 10_000) }, (_, layer) => layer).filter(isDense);

export const denseLayersKey = (denseLayers: number[]) =>
  denseLayers.length === 0 ? {} : { denseLayers };
