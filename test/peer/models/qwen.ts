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
import { type PeerModel, u32 } from "../model.ts";

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

const sharedFfn = 44;

const qwen2MoeParts: Parts = {
  ends: ends(),
  block: [
    ...preNorms,
    ...attention,
    ["mlp.gate", [sizes.experts, sizes.hidden], "ffn_gate_inp"],
    ["mlp.shared_expert_gate", [1, sizes.hidden], "ffn_gate_inp_shexp"],
    ["mlp.shared_expert.gate_proj", [sharedFfn, sizes.hidden], "ffn_gate_shexp"],
    ["mlp.shared_expert.up_proj", [sharedFfn, sizes.hidden], "ffn_up_shexp"],
    ["mlp.shared_expert.down_proj", [sizes.hidden, sharedFfn], "ffn_down_shexp"],
  ],
  biased: /[qkv]_proj$/,
};

/** A shared expert with a gate of its own. */
export const qwen2Moe: PeerModel = {
  name: "Qwen 2 MoE",
  config: {
    ...commonConfig,
    architectures: ["Qwen2MoeForCausalLM"],
    model_type: "qwen2_moe",
    num_experts: sizes.experts,
    num_experts_per_tok: sizes.topK,
    moe_intermediate_size: sizes.expertFfn,
    shared_expert_intermediate_size: sharedFfn,
    norm_topk_prob: false,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
    use_sliding_window: false,
  },
  shapes: shapesOf({
    ...qwen2MoeParts,
    block: [...qwen2MoeParts.block, ...expertShapes("mlp.experts", routed)],
  }),
  gguf: {
    metadata: commonMetadata("qwen2moe", {
      ...expertMetadata,
      expert_shared_feed_forward_length: u32(sharedFfn),
    }),
    tensors: (weight) => [
      ...tensorsOf(qwen2MoeParts, weight, (name, tensor) =>
        name === "mlp.shared_expert_gate"
          ? { shape: [sizes.hidden], values: tensor.values }
          : tensor,
      ),
      ...expertTensors("mlp.experts", routed, weight),
    ],
  },
};

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
