// Gemma 2: norms around attention and MLP that multiply by 1 + weight, scaled embeddings, soft caps, and every other
// layer with a window.

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
import { f32, type PeerModel, tableOfHalves, u32 } from "../model.ts";

const { hidden } = sizes;

const parts: Parts = {
  ends: ends(true),
  block: [
    ["input_layernorm", [hidden], "attn_norm"],
    ["post_attention_layernorm", [hidden], "post_attention_norm"],
    ["pre_feedforward_layernorm", [hidden], "ffn_norm"],
    ["post_feedforward_layernorm", [hidden], "post_ffw_norm"],
    ...attention,
    ...mlp,
  ],
};

const window = 4;

export const gemma2: PeerModel = {
  name: "Gemma 2",
  config: {
    ...commonConfig,
    architectures: ["Gemma2ForCausalLM"],
    model_type: "gemma2",
    hidden_act: "gelu_pytorch_tanh",
    hidden_activation: "gelu_pytorch_tanh",
    attn_logit_softcapping: 5,
    final_logit_softcapping: 7,
    query_pre_attn_scalar: sizes.headDim,
    sliding_window: window,
    tie_word_embeddings: true,
  },
  shapes: shapesOf(parts),
  gguf: {
    metadata: commonMetadata("gemma2", {
      attn_logit_softcapping: f32(5),
      final_logit_softcapping: f32(7),
      "attention.sliding_window": u32(window),
    }),
    tensors: (weight) =>
      tensorsOf(parts, weight, (name, tensor) =>
        name.includes("norm")
          ? { ...tensor, values: tensor.values.map((value) => value + 1) }
          : tensor,
      ),
  },
  normCenter: 0,
  tolerance: tableOfHalves,
};
