// GPT-2: learned positions, layer norms, biases everywhere, matrices stored [in, out].

import { transposed, type WholeWeight } from "../../support/hashed_weights.ts";
import { epsilon, sizes } from "../decoder.ts";
import { f32, gguf, metadataOf, type PeerModel, tableOfHalves, u32 } from "../model.ts";

const { vocabulary, hidden, layers, heads } = sizes;
const positions = 64;
const ffn = 4 * hidden;

/** Name, shape of the weight [in, out] or [size], and name in GGUF. */
const block = [
  ["ln_1", [hidden], "attn_norm"],
  ["attn.c_attn", [hidden, 3 * hidden], "attn_qkv"],
  ["attn.c_proj", [hidden, hidden], "attn_output"],
  ["ln_2", [hidden], "ffn_norm"],
  ["mlp.c_fc", [hidden, ffn], "ffn_up"],
  ["mlp.c_proj", [ffn, hidden], "ffn_down"],
] as const;

const indices = Array.from({ length: layers }, (_, i) => i);

function asLinear(tensor: WholeWeight): WholeWeight {
  return tensor.shape.length === 2 ? transposed(tensor) : tensor;
}

export const gpt2: PeerModel = {
  name: "GPT-2",
  config: {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    vocab_size: vocabulary,
    n_embd: hidden,
    n_layer: layers,
    n_head: heads,
    n_positions: positions,
    n_ctx: positions,
    n_inner: null,
    activation_function: "gelu_new",
    layer_norm_epsilon: epsilon,
  },
  shapes: Object.fromEntries([
    ["wte.weight", [vocabulary, hidden]],
    ["wpe.weight", [positions, hidden]],
    ["ln_f.weight", [hidden]],
    ["ln_f.bias", [hidden]],
    ...indices.flatMap((i) =>
      block.flatMap(([name, shape]) => [
        [`h.${i}.${name}.weight`, shape],
        [`h.${i}.${name}.bias`, [shape.at(-1) ?? 0]],
      ]),
    ),
  ]),
  gguf: {
    metadata: metadataOf("gpt2", {
      vocab_size: u32(vocabulary),
      context_length: u32(positions),
      embedding_length: u32(hidden),
      block_count: u32(layers),
      feed_forward_length: u32(ffn),
      "attention.head_count": u32(heads),
      "attention.layer_norm_epsilon": f32(epsilon),
    }),
    tensors: (weight) => [
      gguf("token_embd.weight", weight("wte.weight")),
      gguf("output.weight", weight("wte.weight")),
      gguf("position_embd.weight", weight("wpe.weight")),
      gguf("output_norm.weight", weight("ln_f.weight")),
      gguf("output_norm.bias", weight("ln_f.bias")),
      ...indices.flatMap((i) =>
        block.flatMap(([name, , to]) => [
          gguf(`blk.${i}.${to}.weight`, asLinear(weight(`h.${i}.${name}.weight`))),
          gguf(`blk.${i}.${to}.bias`, weight(`h.${i}.${name}.bias`)),
        ]),
      ),
    ],
  },
  tolerance: tableOfHalves,
};
