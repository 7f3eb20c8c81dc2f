// GPT-J: one norm for attention and MLP, projections by themselves, no biases in attention.

import { type WeightFamily, plain, type Recipes } from "./family.ts";

const block = "h.{i}.";

const recipes: Recipes = {
  "embedding/weight": plain("wte.weight"),
  "last norm/gain": plain("ln_f.weight"),
  "last norm/bias": plain("ln_f.bias"),
  "head/weight": plain("lm_head.weight"),
  "head/bias": plain("lm_head.bias"),
  "norm before attention/gain": plain(`${block}ln_1.weight`),
  "norm before attention/bias": plain(`${block}ln_1.bias`),
  "attention/q/weight": plain(`${block}attn.q_proj.weight`),
  "attention/k/weight": plain(`${block}attn.k_proj.weight`),
  "attention/v/weight": plain(`${block}attn.v_proj.weight`),
  "attention/output/weight": plain(`${block}attn.out_proj.weight`),
  "mlp/up/weight": plain(`${block}mlp.fc_in.weight`),
  "mlp/up/bias": plain(`${block}mlp.fc_in.bias`),
  "mlp/down/weight": plain(`${block}mlp.fc_out.weight`),
  "mlp/down/bias": plain(`${block}mlp.fc_out.bias`),
};

export const gptj: WeightFamily = {
  table: "wte.weight",
  mark: "h.0.attn.q_proj.weight",
  recipes: () => recipes,
};
