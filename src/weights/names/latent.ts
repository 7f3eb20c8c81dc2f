// Latent attention as DeepSeek V2 and V3 name it, and Kimi K2 after them.

import { plain, type Recipes } from "./family.ts";

/** @param own before the projections' names */
export function latentRecipes(own: string): Recipes {
  return {
    "attention/q/down/weight": plain(`${own}q_a_proj.weight`),
    "attention/q/gain": plain(`${own}q_a_layernorm.weight`),
    "attention/q/weight": plain(`${own}q_b_proj.weight`, `${own}q_proj.weight`),
    "attention/kv/down/weight": plain(`${own}kv_a_proj_with_mqa.weight`),
    "attention/kv/gain": plain(`${own}kv_a_layernorm.weight`),
    "attention/kv/weight": plain(`${own}kv_b_proj.weight`),
  };
}
