// MPT: queries, keys and values as one, the keys of all heads after all queries.

import { type WeightFamily, type FamilyModel, plain, type Recipes } from "./family.ts";
import { section } from "./recipe.ts";

export const mpt: WeightFamily = {
  table: "wte.weight",
  mark: "blocks.0.attn.Wqkv.weight",
  recipes: (model) => recipesOf(model),
};

const block = "blocks.{i}.";

function recipesOf({ attention }: FamilyModel): Recipes {
  const { heads = 0, kvHeads = 0, headDim = 0 } = attention ?? {};
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const projection = (part: "q" | "k" | "v", first: number, count: number): Recipes => {
    const own = section(first, count, queries + 2 * keys);
    const name = `${block}attn.Wqkv.`;
    return {
      [`attention/${part}/weight`]: [{ name: `${name}weight`, section: own }],
      [`attention/${part}/bias`]: [{ name: `${name}bias`, section: own }],
    };
  };
  return {
    "embedding/weight": plain("wte.weight"),
    "embedding/positions": plain("wpe.weight"),
    "last norm/gain": plain("norm_f.weight"),
    "last norm/bias": plain("norm_f.bias"),
    "head/weight": plain("lm_head.weight", "wte.weight"),
    "norm before attention/gain": plain(`${block}norm_1.weight`),
    "norm before attention/bias": plain(`${block}norm_1.bias`),
    "norm before mlp/gain": plain(`${block}norm_2.weight`),
    "norm before mlp/bias": plain(`${block}norm_2.bias`),
    ...projection("q", 0, queries),
    ...projection("k", queries, keys),
    ...projection("v", queries + keys, keys),
    "attention/output/weight": plain(`${block}attn.out_proj.weight`),
    "attention/output/bias": plain(`${block}attn.out_proj.bias`),
    "mlp/up/weight": plain(`${block}ffn.up_proj.weight`),
    "mlp/up/bias": plain(`${block}ffn.up_proj.bias`),
    "mlp/down/weight": plain(`${block}ffn.down_proj.weight`),
    "mlp/down/bias": plain(`${block}ffn.down_proj.bias`),
  };
}
