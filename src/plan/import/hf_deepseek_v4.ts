// DeepSeek V4: one key that is its value for all heads, within a window and beside compressed ones of all tokens; several
// residual streams; experts everywhere.

import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, llamaDefaults, withFeatures, withParameters } from "./hf_decoder.ts";
import { predictionLayersLeftOut } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";

type LayerKind =
  | "sliding_attention"
  | "compressed_sparse_attention"
  | "heavily_compressed_attention";

/** By tokens that become one: `compress_ratios` of older configs. */
const kindsByRatio = new Map<unknown, LayerKind>([
  [0, "sliding_attention"],
  [4, "compressed_sparse_attention"],
  [128, "heavily_compressed_attention"],
]);

export const deepseekV4: Family = (fields) => {
  const model = decoder(fields, {
    ...llamaDefaults,
    rotary: { interleaved: true },
    ffnPerHidden: 4,
  });
  const experts = fields.needed("n_routed_experts");
  const topK = fields.needed("num_experts_per_tok");
  const ffn = fields.needed("moe_intermediate_size");
  if (model === undefined || experts === undefined || topK === undefined || ffn === undefined) {
    return undefined;
  }
  const scale = fields.number("routed_scaling_factor") ?? 1.5;
  const shared = fields.count("n_shared_experts") ?? 1;
  fields.text("scoring_func");
  for (const key of readBeside) fields.value(key);
  if ((fields.number("num_nextn_predict_layers") ?? 0) > 0) {
    predictionLayersLeftOut(fields, "num_nextn_predict_layers");
  }
  const whole: ModelFile = {
    ...model,
    ffn,
    moe: {
      experts,
      topK,
      ffn,
      sharedFfn: shared * ffn,
      renormalise: true,
      routingBias: true,
      ...(scale > 0 && scale !== 1 ? { routedScale: scale } : {}),
    },
  };
  return withFeatures(
    withStreams(fields, withAttention(fields, whole)),
    "routing-by-square-roots-of-softplus",
    ...(hashedLayers(fields, model.layers) > 0 ? ["routing-by-token-table"] : []),
    ...(fields.number("swiglu_limit") === undefined ? [] : ["clamped-experts"]),
  );
};

/** What follows from other keys, or bears on no size. */
const readBeside = [
  "topk_method",
  "norm_topk_prob",
  "compress_rope_theta",
  "hc_sinkhorn_iters",
  "hc_eps",
  "index_topk",
  "qk_rope_head_dim",
  "n_group",
  "topk_group",
  "sliding_window",
  "expert_dtype",
];

function hashedLayers(fields: ImportedFields, layers: number): number {
  const types = fields.value("mlp_layer_types");
  const counted = fields.number("num_hash_layers") ?? 3;
  return Array.isArray(types)
    ? types.filter((type) => type === "hash_moe").length
    : Math.min(layers, counted);
}

/** Kinds of the layers, one by one: as listed, by their ratios, or as the class has them. */
function kindsOf(fields: ImportedFields, layers: number): LayerKind[] {
  const listed = fields.value("layer_types");
  const ratios = fields.value("compress_ratios");
  return Array.from({ length: Math.min(layers, 10_000) }, (_, layer): LayerKind => {
    const named = Array.isArray(listed) ? listed[layer] : undefined;
    const byRatio = Array.isArray(ratios) ? kindsByRatio.get(ratios[layer]) : undefined;
    const usual =
      layer < 2 || layer % 2 === 0 ? "heavily_compressed_attention" : "compressed_sparse_attention";
    return [...kindsByRatio.values()].find((kind) => kind === named) ?? byRatio ?? usual;
  });
}

function withAttention(fields: ImportedFields, model: ModelFile): ModelFile {
  const { layers, hidden, heads, headDim = 512 } = model;
  const queryRank = fields.needed("q_lora_rank") ?? 0;
  const groups = fields.count("o_groups") ?? 8;
  const outputRank = fields.count("o_lora_rank") ?? 1024;
  const indexHeads = fields.count("index_n_heads") ?? 64;
  const indexDim = fields.count("index_head_dim") ?? 128;
  const rates = ratesOf(fields);
  const base =
    queryRank * (hidden + 1 + heads * headDim) +
    headDim * (hidden + 1) +
    outputRank * heads * headDim +
    groups * outputRank * hidden +
    heads;
  // Keys and their weights, of each token and of its place among those that become one; a norm.
  const compressor = (width: number, rate: number, dim: number): number =>
    width * (2 * hidden + rate) + dim;
  const indexer =
    compressor(2 * indexDim, rates.sparse, indexDim) +
    queryRank * indexHeads * indexDim +
    hidden * indexHeads;
  const parameters: Record<LayerKind, number> = {
    sliding_attention: base,
    compressed_sparse_attention: base + compressor(2 * headDim, rates.sparse, headDim) + indexer,
    heavily_compressed_attention: base + compressor(headDim, rates.heavy, headDim),
  };
  const kinds = kindsOf(fields, layers);
  const otherMixers = [...new Set(kinds)].map((kind) => ({
    kind: kind.replaceAll("_", " "),
    layers: kinds.flatMap((each, layer) => (each === kind ? [layer] : [])),
    parameters: parameters[kind],
  }));
  return { ...model, otherMixers };
}

/** Tokens that become one. */
function ratesOf(fields: ImportedFields): { readonly sparse: number; readonly heavy: number } {
  const sparse = fields.value("compress_rates", "compressed_sparse_attention");
  const heavy = fields.value("compress_rates", "heavily_compressed_attention");
  fields.value("compress_rates");
  const older = {
    sparse: fields.count("compress_rate_csa"),
    heavy: fields.count("compress_rate_hca"),
  };
  return {
    sparse: typeof sparse === "number" ? sparse : (older.sparse ?? 4),
    heavy: typeof heavy === "number" ? heavy : (older.heavy ?? 128),
  };
}

/** Manifold-constrained hyper-connections: around attention and experts, and before the head. */
function withStreams(fields: ImportedFields, model: ModelFile): ModelFile {
  const streams = fields.count("hc_mult") ?? 4;
  const { layers, hidden } = model;
  const mixes = (2 + streams) * streams;
  const described = withParameters(model, {
    "hyper-connections":
      2 * layers * (mixes * (streams * hidden + 1) + 3) + streams * (streams * hidden + 1) + 1,
  });
  return withFeatures(described, "hyper-connections");
}
