// gpt-oss: sinks, biases everywhere, every other layer with a window, YaRN, experts with a clamped gate.

import { transposed, type WholeWeight } from "../../support/hashed_weights.ts";
import {
  attention,
  commonConfig,
  commonMetadata,
  ends,
  expertMetadata,
  type Parts,
  shapesOf,
  sizes,
  tensorsOf,
} from "../decoder.ts";
import type { GgufTensor } from "../gguf.ts";
import { f32, gguf, type PeerModel, text, u32 } from "../model.ts";

const { hidden, layers, heads, experts, topK, expertFfn } = sizes;

const parts: Parts = {
  ends: ends(),
  block: [
    ["input_layernorm", [hidden], "attn_norm"],
    ["post_attention_layernorm", [hidden], "post_attention_norm"],
    ...attention,
    ["mlp.router", [experts, hidden], "ffn_gate_inp"],
  ],
  biased: /_proj$|router$/,
};

const blocks = Array.from({ length: layers }, (_, i) => `model.layers.${i}`);

const window = 4;
const scaling = { factor: 4, original_max_position_embeddings: 64, beta_fast: 32, beta_slow: 1 };

/** Gates are the even columns, ups the odd ones; [in, out] of each expert becomes [out, in]. */
function split(all: WholeWeight, first: number, step: number): WholeWeight {
  const [count = 1, rows = 1, columns = 1] = all.shape;
  const own = columns / step;
  const each = Array.from({ length: count }, (_, e) => {
    const values = Float32Array.from({ length: rows * own }, (_value, i) => {
      const [row, column] = [Math.floor(i / own), i % own];
      return all.values[(e * rows + row) * columns + first + column * step] ?? Number.NaN;
    });
    return transposed({ shape: [rows, own], values });
  });
  return {
    shape: [count, own, rows],
    values: Float32Array.from(each.flatMap(({ values }) => [...values])),
  };
}

/** [experts, out] as matrices of one row. */
function splitBias({ shape, values }: WholeWeight, first: number, step: number): WholeWeight {
  const [count = 1, columns = 1] = shape;
  const found = split({ shape: [count, 1, columns], values }, first, step);
  return { shape: [count, columns / step], values: found.values };
}

function expertTensors(weight: (name: string) => WholeWeight): GgufTensor[] {
  return blocks.flatMap((block, i) => {
    const own = (name: string): WholeWeight => weight(`${block}.mlp.experts.${name}`);
    const both = (to: string, from: string, first: number, step: number): GgufTensor[] => [
      gguf(`blk.${i}.ffn_${to}_exps.weight`, split(own(from), first, step)),
      gguf(`blk.${i}.ffn_${to}_exps.bias`, splitBias(own(`${from}_bias`), first, step)),
    ];
    return [
      gguf(`blk.${i}.attn_sinks.weight`, weight(`${block}.self_attn.sinks`)),
      ...both("gate", "gate_up_proj", 0, 2),
      ...both("up", "gate_up_proj", 1, 2),
      ...both("down", "down_proj", 0, 1),
    ];
  });
}

export const gptOss: PeerModel = {
  name: "gpt-oss",
  config: {
    ...commonConfig,
    architectures: ["GptOssForCausalLM"],
    model_type: "gpt_oss",
    attention_bias: true,
    intermediate_size: expertFfn,
    num_local_experts: experts,
    num_experts_per_tok: topK,
    experts_per_token: topK,
    sliding_window: window,
    layer_types: blocks.map((_, i) => (i % 2 === 0 ? "sliding_attention" : "full_attention")),
    rope_scaling: { rope_type: "yarn", ...scaling },
    swiglu_limit: 7,
  },
  shapes: {
    ...shapesOf(parts),
    ...Object.fromEntries(
      blocks.flatMap((block) => [
        [`${block}.self_attn.sinks`, [heads]],
        [`${block}.mlp.experts.gate_up_proj`, [experts, hidden, 2 * expertFfn]],
        [`${block}.mlp.experts.gate_up_proj_bias`, [experts, 2 * expertFfn]],
        [`${block}.mlp.experts.down_proj`, [experts, expertFfn, hidden]],
        [`${block}.mlp.experts.down_proj_bias`, [experts, hidden]],
      ]),
    ),
  },
  gguf: {
    metadata: commonMetadata("gpt-oss", {
      ...expertMetadata,
      feed_forward_length: u32(expertFfn),
      "attention.sliding_window": u32(window),
      "rope.scaling.type": text("yarn"),
      "rope.scaling.factor": f32(scaling.factor),
      "rope.scaling.original_context_length": u32(scaling.original_max_position_embeddings),
    }),
    tensors: (weight) => [...tensorsOf(parts, weight), ...expertTensors(weight)],
  },
};
