// Falcon and BLOOM: the queries of each group of heads, their key and their value are stored one after the other.

import { type WeightFamily, type FamilyModel, plain, type Recipes } from "./family.ts";
import type { TensorSection } from "./recipe.ts";

export const falcon: WeightFamily = {
  table: "word_embeddings.weight",
  recipes: (model) => recipesOf(model),
};

const block = "h.{i}.";

function recipesOf({ attention }: FamilyModel): Recipes {
  return {
    "embedding/weight": plain("word_embeddings.weight"),
    "norm after embedding/gain": plain("word_embeddings_layernorm.weight"),
    "norm after embedding/bias": plain("word_embeddings_layernorm.bias"),
    "last norm/gain": plain("ln_f.weight"),
    "last norm/bias": plain("ln_f.bias"),
    "head/weight": plain("lm_head.weight", "word_embeddings.weight"),
    "norm before attention/gain": plain(`${block}ln_attn.weight`, `${block}input_layernorm.weight`),
    "norm before attention/bias": plain(`${block}ln_attn.bias`, `${block}input_layernorm.bias`),
    "norm before mlp/gain": plain(
      `${block}ln_mlp.weight`,
      `${block}post_attention_layernorm.weight`,
    ),
    "norm before mlp/bias": plain(`${block}ln_mlp.bias`, `${block}post_attention_layernorm.bias`),
    ...projections(attention),
    "attention/output/weight": plain(`${block}self_attention.dense.weight`),
    "attention/output/bias": plain(`${block}self_attention.dense.bias`),
    "mlp/up/weight": plain(`${block}mlp.dense_h_to_4h.weight`),
    "mlp/up/bias": plain(`${block}mlp.dense_h_to_4h.bias`),
    "mlp/down/weight": plain(`${block}mlp.dense_4h_to_h.weight`),
    "mlp/down/bias": plain(`${block}mlp.dense_4h_to_h.bias`),
  };
}

function projections(attention: FamilyModel["attention"]): Recipes {
  const { heads = 1, kvHeads = 1, headDim = 0 } = attention ?? {};
  const queries = heads / kvHeads;
  const group = (queries + 2) * headDim;
  /** @param first head of the group */
  const projection = (part: "q" | "k" | "v", first: number, count: number): Recipes => {
    const own: TensorSection = {
      of: kvHeads * group,
      first: first * headDim,
      along: { extents: [kvHeads, count * headDim], strides: [group, 1] },
    };
    const name = `${block}self_attention.query_key_value.`;
    return {
      [`attention/${part}/weight`]: [{ name: `${name}weight`, section: own }],
      [`attention/${part}/bias`]: [{ name: `${name}bias`, section: own }],
    };
  };
  return {
    ...projection("q", 0, queries),
    ...projection("k", queries, 1),
    ...projection("v", queries + 1, 1),
  };
}
