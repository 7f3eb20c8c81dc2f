// DeepSeek V2 and V3: latent attention, first layers dense, experts beside shared ones.

import type { LatentAttention } from "../layers/attention.ts";
import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, llamaDefaults, withFeatures, withParameters } from "./hf_decoder.ts";
import { denseLayersKey, denseLayersOf, predictionLayersLeftOut } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";
import { scoreFactor } from "./hf_rotary.ts";

/** What a config's class routes by where the config is silent. */
interface Routing {
  readonly renormalise: boolean;
  readonly scoring: string;
  readonly method: string;
}

const routingOfV2: Routing = { renormalise: false, scoring: "softmax", method: "greedy" };
const routingOfV3: Routing = { renormalise: true, scoring: "sigmoid", method: "noaux_tc" };

/** DeepSeek V2. */
export const deepseekV2: Family = (fields) => deepseekWith(fields, routingOfV2);

/** DeepSeek V3, and Kimi K2 after it: a bias steers the routing by sigmoids. */
export const deepseek: Family = (fields) => deepseekWith(fields, routingOfV3);

function deepseekWith(fields: ImportedFields, routing: Routing): ModelFile | undefined {
  const interleaved = fields.flag("rope_interleave") ?? true;
  const model = decoder(fields, { ...llamaDefaults, rotary: { interleaved } });
  const found = latentOf(fields);
  if (model === undefined || found === undefined) return undefined;
  const biased = fields.flag("attention_bias") === true;
  const factor = scoreFactor(fields);
  const { queryRank = 0, keyValueRank, rotaryDim } = found.latent;
  const whole: ModelFile = {
    ...withHeads(model, found),
    ...(factor === 1 ? {} : { attentionScale: factor / Math.sqrt(found.headDim + rotaryDim) }),
    ...(biased ? { biases: ["attention-output"] } : {}),
  };
  // Of what goes down to the ranks.
  const ofLatents = model.layers * (queryRank + keyValueRank + rotaryDim);
  const described = biased
    ? withFeatures(withParameters(whole, { "latent-biases": ofLatents }), "latent-biases")
    : whole;
  if ((fields.number("num_nextn_predict_layers") ?? 0) > 0) {
    predictionLayersLeftOut(fields, "num_nextn_predict_layers");
  }
  // What they follow from is given too.
  fields.value("qk_head_dim");
  fields.value("head_dim");
  return withExperts(fields, described, routing);
}

/** Of the rotary part of a head all is turned, whatever the config says of heads. */
export function withHeads(
  { positions, ...model }: ModelFile,
  { headDim, latent }: LatentHeadsFound,
): ModelFile {
  const { dims: _part, ...whole } = positions ?? { kind: "rotary" };
  return { ...model, headDim, latent, positions: whole };
}

/** Sparse attention: a small indexer chooses the tokens that each token attends to (DeepSeek V3.2, GLM-5). */
export const sparseDeepseek: Family = (fields) => {
  const model = deepseek(fields);
  const heads = fields.needed("index_n_heads");
  const headDim = fields.needed("index_head_dim");
  const topK = fields.needed("index_topk");
  fields.value("indexer_rope_interleave");
  if (model === undefined || heads === undefined || headDim === undefined || topK === undefined) {
    return undefined;
  }
  return { ...model, sparseAttention: { heads, headDim, topK } };
};

/** Attention as in Qwen3, experts as in DeepSeek V3 (GLM-4.5 and 4.6). */
export const glm4Moe: Family = (fields) =>
  qwenWithExperts(fields, 0.5, fields.flag("use_qk_norm") === true);

/** The same (dots.llm1), where queries and keys always have norms and heads are turned as a whole. */
export const dots1: Family = (fields) => qwenWithExperts(fields, 1, true);

function qwenWithExperts(
  fields: ImportedFields,
  share: number,
  qkNorm: boolean,
): ModelFile | undefined {
  const model = decoder(fields, { ...llamaDefaults, rotary: { share } });
  if (model === undefined) return undefined;
  const biased = fields.flag("attention_bias") === true;
  if ((fields.number("num_nextn_predict_layers") ?? 0) > 0) {
    predictionLayersLeftOut(fields, "num_nextn_predict_layers");
  }
  return withExperts(
    fields,
    {
      ...model,
      ...(biased ? { biases: ["qkv" as const] } : {}),
      ...(qkNorm ? { qkNorm } : {}),
    },
    routingOfV3,
  );
}

interface LatentHeadsFound {
  readonly headDim: number;
  readonly latent: LatentAttention;
}

export function latentOf(fields: ImportedFields): LatentHeadsFound | undefined {
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
}

function withExperts(fields: ImportedFields, model: ModelFile, usual: Routing): ModelFile {
  const experts = fields.count("n_routed_experts");
  // Newer configs list the layers instead of counting the dense ones at the start.
  const kinds = fields.value("mlp_layer_types");
  if (experts === undefined) return model;
  const topK = fields.needed("num_experts_per_tok");
  const ffn = fields.needed("moe_intermediate_size");
  if (topK === undefined || ffn === undefined) return model;
  const shared = fields.count("n_shared_experts");
  const first = fields.number("first_k_dense_replace") ?? 0;
  const everyNth = fields.count("moe_layer_freq") ?? 1;
  const dense = denseLayersOf(model.layers, (layer) =>
    Array.isArray(kinds) ? kinds[layer] === "dense" : layer < first || layer % everyNth !== 0,
  );
  const method = fields.text("topk_method") ?? usual.method;
  const routingBias = method === "noaux_tc";
  const sigmoid = (fields.text("scoring_func") ?? usual.scoring) === "sigmoid";
  const groups = fields.count("n_group") ?? 1;
  const topGroups = fields.count("topk_group") ?? groups;
  const scale = fields.number("routed_scaling_factor") ?? 1;
  const isLimited = groups > 1 && topGroups < groups && method !== "greedy";
  return {
    ...model,
    moe: {
      experts,
      topK,
      ffn,
      renormalise: fields.flag("norm_topk_prob") ?? usual.renormalise,
      ...denseLayersKey(dense),
      ...(shared === undefined ? {} : { sharedFfn: shared * ffn }),
      ...(routingBias ? { routingBias } : {}),
      ...(sigmoid ? { scoring: "sigmoid" } : {}),
      ...(isLimited
        ? { groupLimit: { groups, topGroups, scoredBy: routingBias ? "two-best" : "best" } }
        : {}),
      ...(scale > 0 && scale !== 1 ? { routedScale: scale } : {}),
    },
  };
}
