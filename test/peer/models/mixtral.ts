// Mixtral: Llama with experts.

import {
  attention,
  commonConfig,
  commonMetadata,
  ends,
  expertMetadata,
  expertShapes,
  expertTensors,
  interleavedProjections,
  type Parts,
  preNorms,
  shapesOf,
  sizes,
  tensorsOf,
} from "../decoder.ts";
import { type PeerModel, u32 } from "../model.ts";

const experts = "block_sparse_moe.experts";
const names = { gate: "w1", up: "w3", down: "w2" };

const parts: Parts = {
  ends: ends(),
  block: [
    ...preNorms,
    ...attention,
    ["block_sparse_moe.gate", [sizes.experts, sizes.hidden], "ffn_gate_inp"],
  ],
};

export const mixtral: PeerModel = {
  name: "Mixtral",
  config: {
    ...commonConfig,
    architectures: ["MixtralForCausalLM"],
    model_type: "mixtral",
    intermediate_size: sizes.expertFfn,
    num_local_experts: sizes.experts,
    num_experts_per_tok: sizes.topK,
    sliding_window: null,
  },
  shapes: shapesOf({ ...parts, block: [...parts.block, ...expertShapes(experts, names)] }),
  gguf: {
    metadata: commonMetadata("llama", {
      ...expertMetadata,
      feed_forward_length: u32(sizes.expertFfn),
    }),
    tensors: (weight) => [
      ...tensorsOf(parts, weight, interleavedProjections),
      ...expertTensors(experts, names, weight),
    ],
  },
};
