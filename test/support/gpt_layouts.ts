// Checkpoints of OPT, GPT-J and MPT, laid out by hand.

import {
  attentionOf,
  blocks,
  inBlock,
  type Layout,
  linear,
  mlpOf,
  type Weight,
} from "./checkpoint_layouts.ts";
import { named, stacked, type WholeWeight } from "./hashed_weights.ts";
import type { TensorToWrite } from "../../src/weights/write_safetensors.ts";

/** A layer with its bias, as PyTorch has it. */
function biased(weight: Weight, to: string, from: string): TensorToWrite[] {
  return [named(`${to}.weight`, linear(weight, from)), named(`${to}.bias`, weight(`${from}/bias`))];
}

function layerNorm(weight: Weight, to: string, from: string): TensorToWrite[] {
  return [
    named(`${to}.weight`, weight(`${from}/gain`)),
    named(`${to}.bias`, weight(`${from}/bias`)),
  ];
}

/** Learned positions, biases everywhere, the head is the table. */
export const opt: Layout = (weight) => [
  named("model.decoder.embed_tokens.weight", weight("blocks/0.embedding/weight")),
  named("model.decoder.embed_positions.weight", weight("blocks/0.embedding/positions")),
  ...layerNorm(weight, "model.decoder.final_layer_norm", "blocks/13.norm"),
  ...blocks.flatMap((block) => {
    const own = `model.decoder.layers.${block}`;
    const attention = attentionOf(block);
    return [
      ...layerNorm(weight, `${own}.self_attn_layer_norm`, inBlock(block, 0, "norm")),
      ...layerNorm(weight, `${own}.final_layer_norm`, inBlock(block, 3, "norm")),
      ...["q", "k", "v"].flatMap((part) =>
        biased(weight, `${own}.self_attn.${part}_proj`, `${attention}/${part}`),
      ),
      ...biased(weight, `${own}.self_attn.out_proj`, `${attention}/output`),
      ...biased(weight, `${own}.fc1`, `${mlpOf(block)}/up`),
      ...biased(weight, `${own}.fc2`, `${mlpOf(block)}/down`),
    ];
  }),
];

/** One norm for attention and MLP, biases of MLP and head. */
export const gptj: Layout = (weight) => [
  named("transformer.wte.weight", weight("blocks/0.embedding/weight")),
  ...layerNorm(weight, "transformer.ln_f", "blocks/13.norm"),
  ...biased(weight, "lm_head", "blocks/14.linear"),
  ...blocks.flatMap((block) => {
    const own = `transformer.h.${block}`;
    const mlp = inBlock(block, 3, "mlp");
    return [
      ...layerNorm(weight, `${own}.ln_1`, inBlock(block, 0, "norm")),
      ...["q", "k", "v", "out"].map((part) =>
        named(
          `${own}.attn.${part}_proj.weight`,
          linear(weight, `${attentionOf(block)}/${part === "out" ? "output" : part}`),
        ),
      ),
      ...biased(weight, `${own}.mlp.fc_in`, `${mlp}/up`),
      ...biased(weight, `${own}.mlp.fc_out`, `${mlp}/down`),
    ];
  }),
];

/** Queries, keys and values of all heads one below the other, norms without biases. */
export const mpt: Layout = (weight) => [
  named("transformer.wte.weight", weight("blocks/0.embedding/weight")),
  named("transformer.norm_f.weight", weight("blocks/13.norm/gain")),
  ...blocks.flatMap((block) => {
    const own = `transformer.blocks.${block}`;
    const part = (name: string): WholeWeight => linear(weight, `${attentionOf(block)}/${name}`);
    return [
      named(`${own}.norm_1.weight`, weight(`${inBlock(block, 0, "norm")}/gain`)),
      named(`${own}.norm_2.weight`, weight(`${inBlock(block, 3, "norm")}/gain`)),
      named(`${own}.attn.Wqkv.weight`, stacked([part("q"), part("k"), part("v")])),
      named(`${own}.attn.out_proj.weight`, part("output")),
      named(`${own}.ffn.up_proj.weight`, linear(weight, `${mlpOf(block)}/up`)),
      named(`${own}.ffn.down_proj.weight`, linear(weight, `${mlpOf(block)}/down`)),
    ];
  }),
];
