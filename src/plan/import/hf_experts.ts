// Mixtures of experts without latent attention.

import type { ModelFile } from "../schema_model.ts";
import { biasesOf, decoder, type Family, llamaDefaults, withFeatures } from "./hf_decoder.ts";
import type { ImportedFields } from "./fields.ts";
import type { RotaryDefaults } from "./hf_rotary.ts";
import { allBut, unpositioned, withChunks, withoutPositionsIn, withWindow } from "./hf_windows.ts";
import { ernie, mistral, qwenWindow } from "./hf_llama.ts";

export const mixtral: Family = (fields) => {
  const model = mistral(fields);
  const experts = fields.needed("num_local_experts");
  const topK = fields.needed("num_experts_per_tok");
  if (model === undefined || experts === undefined || topK === undefined) return undefined;
  const { ffn = 4 * model.hidden } = model;
  return { ...model, moe: { experts, topK, ffn, renormalise: true } };
};

/** Layer norms with biases, and biases in attention and head. */
export const phimoe: Family = (fields) => {
  const model = mixtral(fields);
  if (model === undefined) return undefined;
  const attention = fields.flag("attention_bias") === true;
  const head = fields.flag("lm_head_bias") === true;
  const biases = [
    ...(attention ? (["qkv", "attention-output"] as const) : []),
    ...(head ? (["head"] as const) : []),
  ];
  return withFeatures(
    { ...model, norm: "layer", ...(biases.length === 0 ? {} : { biases }) },
    "sparse-mixer-routing",
  );
};

/** Experts as wide as the config says an MLP is; norms of all heads. */
export const olmoe: Family = (fields) => {
  const model = mistral(fields);
  const experts = fields.needed("num_experts");
  const topK = fields.needed("num_experts_per_tok");
  const renormalise = fields.flag("norm_topk_prob") ?? false;
  if (model === undefined || experts === undefined || topK === undefined) return undefined;
  const { ffn = 4 * model.hidden } = model;
  return {
    ...model,
    ...biasesOf(fields.flag("attention_bias"), false),
    qkNorm: "all-heads",
    moe: { experts, topK, ffn, renormalise },
  };
};

/** Biases everywhere, also in router and experts; a learned sink for each head. */
export const gptOss: Family = (fields) => {
  const model = decoder(fields, { ...llamaDefaults, rotary: { base: 150_000 } });
  const experts = fields.needed("num_local_experts");
  const topK = fields.count("experts_per_token") ?? fields.needed("num_experts_per_tok");
  fields.value("num_experts_per_tok");
  const limit = fields.number("swiglu_limit") ?? 7;
  fields.value("initial_context_length");
  if (model === undefined || experts === undefined || topK === undefined) return undefined;
  const biased = fields.flag("attention_bias") ?? true;
  const { ffn = 0 } = model;
  const whole: ModelFile = {
    ...model,
    sinks: true,
    biases: [...(biased ? (["qkv", "attention-output"] as const) : []), "experts", "router"],
    activation: "clamped-silu",
    moe: { experts, topK, ffn, renormalise: true },
  };
  return withFeatures(
    withWindow(fields, whole, allBut(2)),
    ...(limit === 7 ? [] : [`activation-clamped-at-${limit}`]),
  );
};

/** Experts in every so manieth layer, of another width than the dense MLPs, beside one that all tokens pass. */
export const llama4: Family = (fields) => {
  const model = decoder(fields, {
    ...llamaDefaults,
    rotary: { base: 500_000, interleaved: true },
  });
  const experts = fields.needed("num_local_experts");
  const topK = fields.needed("num_experts_per_tok");
  const dense = fields.needed("intermediate_size_mlp");
  const step = fields.count("interleave_moe_layer_step") ?? 1;
  const named = fields.value("moe_layers");
  if (model === undefined || experts === undefined || topK === undefined || dense === undefined) {
    return undefined;
  }
  const { ffn = 0 } = model;
  const isDense = (layer: number) =>
    Array.isArray(named) && named.length > 0 ? !named.includes(layer) : (layer + 1) % step !== 0;
  const normed = fields.flag("use_qk_norm") ?? true;
  const isWithout = unpositioned(fields);
  const temperature = temperatureOf(fields);
  const whole: ModelFile = {
    ...model,
    ...temperature,
    ...biasesOf(fields.flag("attention_bias"), false),
    ...(normed ? { qkNorm: "l2" } : {}),
    ffn: dense,
    moe: {
      experts,
      topK,
      ffn,
      renormalise: false,
      scoring: "sigmoid",
      weighsInput: true,
      sharedFfn: ffn,
      ...denseLayersKey(denseLayersOf(model.layers, isDense)),
    },
  };
  const chunked = withChunks(fields, whole, (layer) => !isWithout(layer));
  return withoutPositionsIn(chunked, isWithout);
};

/** Its switch was a number once; what is not false or 0 is on. */
function temperatureOf(fields: ImportedFields): Pick<ModelFile, "attentionTemperature"> {
  const isOff = [false, 0].some((off) => off === fields.value("attn_temperature_tuning"));
  const scale = fields.number("attn_scale") ?? 0.1;
  const interval = fields.count("floor_scale") ?? 8192;
  if (isOff || scale <= 0) return {};
  return { attentionTemperature: { scale, interval, offset: 1, layers: "without-positions" } };
}

/** Norms of all heads or one head's, a bias that steers the routing. */
export const minimaxM2: Family = (fields) => {
  const model = mixtral(fields);
  if (model?.moe === undefined) return undefined;
  const normed = fields.flag("use_qk_norm") ?? true;
  const perLayer = fields.text("qk_norm_type") === "per_layer";
  const routingBias = fields.flag("use_routing_bias") ?? true;
  const shared = fields.number("shared_intermediate_size") ?? 0;
  if (fields.value("use_mtp") === true) predictionLayersLeftOut(fields, "use_mtp");
  for (const key of ["num_mtp_modules", "mtp_transformer_layers", "attn_type_list"]) {
    fields.value(key);
  }
  const sigmoid = fields.text("scoring_func") === "sigmoid";
  return {
    ...model,
    ...(normed ? { qkNorm: perLayer ? ("all-heads" as const) : true } : {}),
    moe: {
      ...model.moe,
      ...(routingBias ? { routingBias } : {}),
      ...(shared > 0 ? { sharedFfn: shared } : {}),
      ...(sigmoid ? { scoring: "sigmoid" } : {}),
    },
  };
};

export function predictionLayersLeftOut(fields: ImportedFields, key: string): void {
  fields.report(
    "info",
    "prediction-layers-left-out",
    "layers that predict further tokens are no part of the main model, and not in the plan",
    [key],
  );
}

export const qwen2Moe: Family = (fields) => {
  const model = qwenMoe(fields, { biases: ["qkv"] });
  const sharedFfn = fields.needed("shared_expert_intermediate_size");
  if (model?.moe === undefined || sharedFfn === undefined) return undefined;
  return { ...model, moe: { ...model.moe, sharedFfn, sharedGate: true } };
};

export const qwen3Moe: Family = (fields) => qwen3MoeWith(fields, false);

/** Its router always makes the weights sum to 1. */
export const qwen3VlMoe: Family = (fields) => qwen3MoeWith(fields, true);

function qwen3MoeWith(fields: ImportedFields, renormalises: boolean): ModelFile | undefined {
  const biases = biasesOf(fields.flag("attention_bias"), false);
  return qwenMoe(fields, { ...biases, qkNorm: true }, renormalises);
}

/**
 * @param renormalises whether weights of the chosen experts sum to 1 where the config does not say
 * @param rotary what its class turns where the config does not say
 */
export function qwenMoe(
  fields: ImportedFields,
  more: Partial<ModelFile>,
  renormalises = false,
  rotary: RotaryDefaults = {},
): ModelFile | undefined {
  const model = decoder(fields, { ...llamaDefaults, ffnPerHidden: 4, rotary });
  const experts = fields.needed("num_experts");
  const topK = fields.needed("num_experts_per_tok");
  const ffn = fields.needed("moe_intermediate_size");
  const renormalise = fields.flag("norm_topk_prob") ?? renormalises;
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
  );
}

/** ERNIE 4.5: experts from a layer on, by softmax with a bias that steers the choice, beside shared ones. */
export const ernieMoe: Family = (fields) => {
  const model = ernie(fields);
  const experts = fields.needed("moe_num_experts");
  const topK = fields.needed("moe_k");
  const ffn = fields.needed("moe_intermediate_size");
  if (model === undefined || experts === undefined || topK === undefined || ffn === undefined) {
    return undefined;
  }
  const first = fields.number("moe_layer_start_index") ?? 1;
  const written = fields.number("moe_layer_end_index") ?? -1;
  const last = written < 0 ? model.layers - 1 : written;
  const every = fields.count("moe_layer_interval") ?? 1;
  const shared = fields.number("moe_num_shared_experts") ?? 2;
  const dense = denseLayersOf(
    model.layers,
    (layer) => layer < first || layer > last || (layer + 1) % every !== 0,
  );
  for (const key of ["moe_norm_min", "moe_use_aux_free", "moe_capacity"]) fields.value(key);
  return {
    ...model,
    moe: {
      experts,
      topK,
      ffn,
      renormalise: true,
      routingBias: true,
      ...denseLayersKey(dense),
      ...(shared > 0 ? { sharedFfn: shared * ffn } : {}),
    },
  };
};

/** More layers than a plan takes are left to the schema to refuse. */
export function denseLayersOf(layers: number, isDense: (layer: number) => boolean): number[] {
  return Array.from({ length: Math.min(layers, 10_000) }, (_, layer) => layer).filter(isDense);
}

export function denseLayersKey(denseLayers: number[]) {
  return denseLayers.length === 0 ? {} : { denseLayers };
}
