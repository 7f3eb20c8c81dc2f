// DeepSeek V2 and V3: latent attention, first layers dense, experts beside shared ones.

import type { LatentAttention } from "../plan.ts";
import type { ModelFile } from "../schema_model.ts";
import {
  decoder,
  type Family,
  llamaDefaults,
  scaledPositions,
  withFeatures,
} from "./hf_decoder.ts";
import { denseLayersKey, denseLayersOf } from "./hf_experts.ts";
import type { JsonFields } from "./json_fields.ts";

export const deepseek: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  const latent = latentOf(fields);
  if (model === undefined || latent === undefined) return undefined;
  const biased = fields.flag("attention_bias") === true;
  const described = {
    ...model,
    ...latent,
    ...(biased ? { biases: ["attention-output" as const] } : {}),
  };
  if (fields.value("num_nextn_predict_layers") !== undefined) {
    fields.report(
      "info",
      "prediction-layers-left-out",
      "layers that predict further tokens are no part of the main model, and not in the plan",
      ["num_nextn_predict_layers"],
    );
  }
  return withFeatures(withExperts(fields, described), ...scaledPositions(fields));
};

const latentOf = (
  fields: JsonFields,
): { readonly headDim: number; readonly latent: LatentAttention } | undefined => {
  const keyValueRank = fields.needed("kv_lora_rank");
  const rotaryDim = fields.needed("qk_rope_head_dim");
  const headDim = fields.needed("qk_nope_head_dim");
  const valueDim = fields.needed("v_head_dim");
  const queryRank = fields.count("q_lora_rank");
  if (
    keyValueRank === undefined ||
    rotaryDim === undefined ||
    headDim === undefined ||
    valueDim === undefined
  ) {
    return undefined;
  }
  const query = queryRank === undefined ? {} : { queryRank };
  return { headDim, latent: { ...query, keyValueRank, rotaryDim, valueDim } };
};

const withExperts = (fields: JsonFields, model: ModelFile): ModelFile => {
  const experts = fields.count("n_routed_experts");
  if (experts === undefined) return model;
  const topK = fields.needed("num_experts_per_tok");
  const ffn = fields.needed("moe_intermediate_size");
  if (topK === undefined || ffn === undefined) return model;
  const shared = fields.count("n_shared_experts");
  const first = fields.number("first_k_dense_replace") ?? 0;
  const everyNth = fields.count("moe_layer_freq") ?? 1;
  const dense = denseLayersOf(model.layers, (layer) => layer < first || layer % everyNth !== 0);
  const routingBias = fields.text("topk_method") === "noaux_tc";
  const sigmoid = fields.text("scoring_func") === "sigmoid";
  const grouped = (fields.number("n_group") ?? 1) > 1;
  const scaled = (fields.number("routed_scaling_factor") ?? 1) !== 1;
  fields.value("topk_group");
  return withFeatures(
    {
      ...model,
      moe: {
        experts,
        topK,
        ffn,
        renormalise: fields.flag("norm_topk_prob") ?? false,
        ...denseLayersKey(dense),
        ...(shared === undefined ? {} : { sharedFfn: shared * ffn }),
        ...(routingBias ? { routingBias } : {}),
      },
    },
    ...(sigmoid ? ["sigmoid-routing"] : []),
    ...(grouped ? ["routing-within-groups"] : []),
    ...(scaled ? ["scaled-expert-weights"] : []),
  );
};
