// Llama 3.1: rotary positions of which the slow ones are stretched.

import {
  attention,
  base,
  commonConfig,
  commonMetadata,
  ends,
  interleavedProjections,
  mlp,
  type Parts,
  preNorms,
  shapesOf,
  sizes,
  tensorsOf,
} from "../decoder.ts";
import { gguf, type PeerModel } from "../model.ts";

const parts: Parts = { ends: ends(), block: [...preNorms, ...attention, ...mlp] };

/** Factors and an original length that put frequencies of a small head on both sides and in between. */
const scaling = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 128,
};

/** What each frequency is divided by, as the paper's code has it. */
const divisors = Float32Array.from({ length: sizes.headDim / 2 }, (_, i) => {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const turns =
    scaling.original_max_position_embeddings / (2 * Math.PI * base ** ((2 * i) / sizes.headDim));
  if (turns > high) return 1;
  if (turns < low) return factor;
  const smooth = (turns - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
});

export const llama: PeerModel = {
  name: "Llama 3.1",
  config: {
    ...commonConfig,
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    rope_scaling: scaling,
  },
  shapes: shapesOf(parts),
  gguf: {
    metadata: commonMetadata("llama"),
    tensors: (weight) => [
      ...tensorsOf(parts, weight, interleavedProjections),
      gguf("rope_freqs.weight", { shape: [divisors.length], values: divisors }),
    ],
  },
};
