// OLMo 2: norms after attention and MLP instead of before, and of all queries and keys at once.

import {
  attention,
  commonConfig,
  commonMetadata,
  ends,
  mlp,
  type Parts,
  shapesOf,
  sizes,
  tensorsOf,
} from "../decoder.ts";
import type { PeerModel } from "../model.ts";

const { hidden, heads, kvHeads, headDim } = sizes;

const parts: Parts = {
  ends: ends(),
  block: [
    ["post_attention_layernorm", [hidden], "post_attention_norm"],
    ["post_feedforward_layernorm", [hidden], "post_ffw_norm"],
    ["self_attn.q_norm", [heads * headDim], "attn_q_norm"],
    ["self_attn.k_norm", [kvHeads * headDim], "attn_k_norm"],
    ...attention,
    ...mlp,
  ],
};

export const olmo2: PeerModel = {
  name: "OLMo 2",
  config: { ...commonConfig, architectures: ["Olmo2ForCausalLM"], model_type: "olmo2" },
  shapes: shapesOf(parts),
  gguf: { metadata: commonMetadata("olmo2"), tensors: (weight) => tensorsOf(parts, weight) },
};
