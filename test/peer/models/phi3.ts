// Phi-3: Llama with fused projections.

import {
  commonConfig,
  commonMetadata,
  ends,
  type Parts,
  preNorms,
  shapesOf,
  sizes,
  tensorsOf,
} from "../decoder.ts";
import { type PeerModel, u32 } from "../model.ts";

const { hidden, heads, kvHeads, headDim, ffn } = sizes;

const parts: Parts = {
  ends: ends(),
  block: [
    ...preNorms,
    ["self_attn.qkv_proj", [(heads + 2 * kvHeads) * headDim, hidden], "attn_qkv"],
    ["self_attn.o_proj", [hidden, heads * headDim], "attn_output"],
    ["mlp.gate_up_proj", [2 * ffn, hidden], "ffn_up"],
    ["mlp.down_proj", [hidden, ffn], "ffn_down"],
  ],
};

export const phi3: PeerModel = {
  name: "Phi-3",
  config: {
    ...commonConfig,
    architectures: ["Phi3ForCausalLM"],
    model_type: "phi3",
    original_max_position_embeddings: 64,
    sliding_window: null,
  },
  shapes: shapesOf(parts),
  gguf: {
    metadata: commonMetadata("phi3", { "rope.scaling.original_context_length": u32(64) }),
    tensors: (weight) => tensorsOf(parts, weight),
  },
};
