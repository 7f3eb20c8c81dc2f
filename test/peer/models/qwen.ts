// Qwen 2 with biases of queries, keys and values; Qwen 3 with norms of queries and keys, dense and with experts.

import {
  attention,
  commonConfig,
  commonMetadata,
  ends,
  expertMetadata,
  expertShapes,
  expertTensors,
  mlp,
  type Named,
  type Parts,
  preNorms,
  shapesOf,
  sizes,
  tensorsOf,
} from "../decoder.ts";
import type { PeerModel } from "../model.ts";

const qwen2Parts: Parts = {
  ends: ends(true),
  block: [...preNorms, ...attention, ...mlp],
  biased: /[qkv]_proj$/,
};

export const qwen2: PeerModel = {
  name: "Qwen 2",
  config: {
    ...commonConfig,
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    use_sliding_window: false,
    tie_word_embeddings: true,
  },
  shapes: shapesOf(qwen2Parts),
  gguf: {
    metadata: commonMetadata("qwen2"),
    tensors: (weight) => tensorsOf(qwen2Parts, weight),
  },
};

const headNorms: readonly Named[] = [
  ["self_attn.q_norm", [sizes.headDim], "attn_q_norm"],
  ["self_attn.k_norm", [sizes.headDim], "attn_k_norm"],
];

const qwen3Parts: Parts = {
  ends: ends(),
  block: [...preNorms, ...attention, ...headNorms, ...mlp],
};

export const qwen3: PeerModel = {
  name: "Qwen 3",
  config: { ...commonConfig, architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" },
  shapes: shapesOf(qwen3Parts),
  gguf: {
    metadata: commonMetadata("qwen3"),
    tensors: (weight) => tensorsOf(qwen3Parts, weight),
  },
};

const routed = { gate: "gate_proj", up: "up_proj", down: "down_proj" };

const moeParts: Parts = {
  ends: ends(),
  block: [
    ...preNorms,
    ...attention,
    ...headNorms,
    ["mlp.gate", [sizes.experts, sizes.hidden], "ffn_gate_inp"],
  ],
};

export const qwen3Moe: PeerModel = {
  name: "Qwen 3 MoE",
  config: {
    ...commonConfig,
    architectures: ["Qwen3MoeForCausalLM"],
    model_type: "qwen3_moe",
    num_experts: sizes.experts,
    num_experts_per_tok: sizes.topK,
    moe_intermediate_size: sizes.expertFfn,
    norm_topk_prob: true,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
  },
  shapes: shapesOf({
    ...moeParts,
    block: [...moeParts.block, ...expertShapes("mlp.experts", routed)],
  }),
  gguf: {
    metadata: commonMetadata("qwen3moe", expertMetadata),
    tensors: (weight) => [
      ...tensorsOf(moeParts, weight),
      ...expertTensors("mlp.experts", routed, weight),
    ],
  },
};
