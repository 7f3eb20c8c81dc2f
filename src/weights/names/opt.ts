// OPT: attention as Llama names it, an MLP of two matrices without a name of its own, norms of other names.

import { type WeightFamily, plain, type Recipes } from "./family.ts";

const block = "layers.{i}.";

function linear(weight: "attention/q" | "attention/k" | "attention/v", name: string): Recipes {
  return {
    [`${weight}/weight`]: plain(`${block}self_attn.${name}.weight`),
    [`${weight}/bias`]: plain(`${block}self_attn.${name}.bias`),
  };
}

const recipes: Recipes = {
  "embedding/weight": plain("embed_tokens.weight"),
  "embedding/positions": plain("embed_positions.weight"),
  "last norm/gain": plain("final_layer_norm.weight"),
  "last norm/bias": plain("final_layer_norm.bias"),
  "head/weight": plain("lm_head.weight", "embed_tokens.weight"),
  "norm before attention/gain": plain(`${block}self_attn_layer_norm.weight`),
  "norm before attention/bias": plain(`${block}self_attn_layer_norm.bias`),
  "norm before mlp/gain": plain(`${block}final_layer_norm.weight`),
  "norm before mlp/bias": plain(`${block}final_layer_norm.bias`),
  ...linear("attention/q", "q_proj"),
  ...linear("attention/k", "k_proj"),
  ...linear("attention/v", "v_proj"),
  "attention/output/weight": plain(`${block}self_attn.out_proj.weight`),
  "attention/output/bias": plain(`${block}self_attn.out_proj.bias`),
  "mlp/up/weight": plain(`${block}fc1.weight`),
  "mlp/up/bias": plain(`${block}fc1.bias`),
  "mlp/down/weight": plain(`${block}fc2.weight`),
  "mlp/down/bias": plain(`${block}fc2.bias`),
};

export const opt: WeightFamily = {
  table: "embed_tokens.weight",
  mark: "layers.0.self_attn_layer_norm.weight",
  recipes: () => recipes,
};
