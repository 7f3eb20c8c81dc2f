// GPT-NeoX and Pythia: head by head, queries, keys and values are stored as one.

import { type WeightFamily, type FamilyModel, plain, type Recipes } from "./family.ts";
import type { TensorSection } from "./recipe.ts";

export const neox: WeightFamily = {
  table: "embed_in.weight",
  recipes: (model) => recipesOf(model),
};

const block = "layers.{i}.";

function recipesOf({ attention }: FamilyModel): Recipes {
  const { heads = 0, headDim = 0 } = attention ?? {};
  const projection = (part: "q" | "k" | "v", index: number): Recipes => {
    const own: TensorSection = {
      of: 3 * heads * headDim,
      first: index * headDim,
      along: { extents: [heads, headDim], strides: [3 * headDim, 1] },
    };
    const name = `${block}attention.query_key_value.`;
    return {
      [`attention/${part}/weight`]: [{ name: `${name}weight`, section: own }],
      [`attention/${part}/bias`]: [{ name: `${name}bias`, section: own }],
    };
  };
  return {
    "embedding/weight": plain("embed_in.weight"),
    "last norm/gain": plain("final_layer_norm.weight"),
    "last norm/bias": plain("final_layer_norm.bias"),
    "head/weight": plain("embed_out.weight"),
    "norm before attention/gain": plain(`${block}input_layernorm.weight`),
    "norm before attention/bias": plain(`${block}input_layernorm.bias`),
    "norm before mlp/gain": plain(`${block}post_attention_layernorm.weight`),
    "norm before mlp/bias": plain(`${block}post_attention_layernorm.bias`),
    ...projection("q", 0),
    ...projection("k", 1),
    ...projection("v", 2),
    "attention/output/weight": plain(`${block}attention.dense.weight`),
    "attention/output/bias": plain(`${block}attention.dense.bias`),
    "mlp/up/weight": plain(`${block}mlp.dense_h_to_4h.weight`),
    "mlp/up/bias": plain(`${block}mlp.dense_h_to_4h.bias`),
    "mlp/down/weight": plain(`${block}mlp.dense_4h_to_h.weight`),
    "mlp/down/bias": plain(`${block}mlp.dense_4h_to_h.bias`),
  };
}
