// Kimi Linear: three of four layers with Kimi Delta Attention, the others with latent attention without positions.

import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, llamaDefaults } from "./hf_decoder.ts";
import { latentOf, withHeads } from "./hf_deepseek.ts";
import { denseLayersKey, denseLayersOf, predictionLayersLeftOut } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";

export const kimiLinear: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  const found = latentOf(fields);
  if (model === undefined || found === undefined) return undefined;
  const { positions, ...bare } = withHeads(model, found);
  const isWithoutPositions = fields.flag("mla_use_nope") === true;
  if ((fields.number("num_nextn_predict_layers") ?? 0) > 0) {
    predictionLayersLeftOut(fields, "num_nextn_predict_layers");
  }
  const whole: ModelFile =
    isWithoutPositions || positions === undefined ? bare : { ...bare, positions };
  return withDeltaAttention(fields, withKimiExperts(fields, whole));
};

/**
 * Of one layer: queries, keys and values, each with a convolution; a gate of what is forgotten for each column of a key and
 * one of what is given, both through the width of a head; a number of each head; a norm of a head; and out.
 */
function withDeltaAttention(fields: ImportedFields, model: ModelFile): ModelFile {
  const listed = fields.value("linear_attn_config", "kda_layers");
  const heads = Number(fields.value("linear_attn_config", "num_heads") ?? model.heads);
  const dim = Number(fields.value("linear_attn_config", "head_dim") ?? 128);
  const taps = Number(fields.value("linear_attn_config", "short_conv_kernel_size") ?? 4);
  fields.value("linear_attn_config");
  // Counted from 1.
  const layers = (Array.isArray(listed) ? listed : []).flatMap((layer) =>
    typeof layer === "number" && layer >= 1 && layer <= model.layers ? [layer - 1] : [],
  );
  const width = heads * dim;
  const { hidden } = model;
  const parameters =
    4 * hidden * width +
    3 * width * taps +
    2 * (hidden * dim + dim * width) +
    (hidden + 1) * heads +
    width +
    dim;
  return layers.length === 0
    ? model
    : { ...model, otherMixers: [{ kind: "Kimi Delta Attention", layers, parameters }] };
}

function withKimiExperts(fields: ImportedFields, model: ModelFile): ModelFile {
  const experts = fields.count("num_experts");
  const topK = fields.count("num_experts_per_token");
  const ffn = fields.count("moe_intermediate_size");
  if (experts === undefined || topK === undefined || ffn === undefined) return model;
  const shared = fields.number("num_shared_experts") ?? 0;
  const first = fields.number("first_k_dense_replace") ?? 0;
  const everyNth = fields.count("moe_layer_freq") ?? 1;
  const scale = fields.number("routed_scaling_factor") ?? 1;
  const groups = fields.count("num_expert_group") ?? 1;
  const topGroups = fields.count("topk_group") ?? groups;
  const isGrouped = fields.flag("use_grouped_topk") ?? true;
  const sigmoid = (fields.text("moe_router_activation_func") ?? "sigmoid") === "sigmoid";
  const dense = denseLayersOf(model.layers, (layer) => layer < first || layer % everyNth !== 0);
  return {
    ...model,
    moe: {
      experts,
      topK,
      ffn,
      renormalise: fields.flag("moe_renormalize") ?? true,
      routingBias: true,
      ...denseLayersKey(dense),
      ...(shared > 0 ? { sharedFfn: shared * ffn } : {}),
      ...(sigmoid ? { scoring: "sigmoid" } : {}),
      ...(isGrouped && groups > 1 && topGroups < groups
        ? { groupLimit: { groups, topGroups, scoredBy: "two-best" } }
        : {}),
      ...(scale > 0 && scale !== 1 ? { routedScale: scale } : {}),
    },
  };
}
