// GPT-2: matrices are stored [in, out], and queries, keys and values are one.

import { type WeightFamily, type FamilyModel, plain, type Recipes } from "./family.ts";
import { type Recipe, section } from "./recipe.ts";

export const gpt2: WeightFamily = { table: "wte.weight", recipes: (model) => recipesOf(model) };

const block = "h.{i}.";

function conv(name: string): Recipe[] {
  return [{ name: `${block}${name}.weight`, isInFirst: true }];
}

function recipesOf({ attention }: FamilyModel): Recipes {
  const width = (attention?.heads ?? 0) * (attention?.headDim ?? 0);
  const projection = (part: "q" | "k" | "v", index: number): Recipes => {
    const own = section(index * width, width, 3 * width);
    const name = `${block}attn.c_attn.`;
    return {
      [`attention/${part}/weight`]: [{ name: `${name}weight`, isInFirst: true, section: own }],
      [`attention/${part}/bias`]: [{ name: `${name}bias`, section: own }],
    };
  };
  return {
    "embedding/weight": plain("wte.weight"),
    "embedding/positions": plain("wpe.weight"),
    "last norm/gain": plain("ln_f.weight"),
    "last norm/bias": plain("ln_f.bias"),
    "head/weight": plain("lm_head.weight", "wte.weight"),
    "norm before attention/gain": plain(`${block}ln_1.weight`),
    "norm before attention/bias": plain(`${block}ln_1.bias`),
    "norm before mlp/gain": plain(`${block}ln_2.weight`),
    "norm before mlp/bias": plain(`${block}ln_2.bias`),
    ...projection("q", 0),
    ...projection("k", 1),
    ...projection("v", 2),
    "attention/output/weight": conv("attn.c_proj"),
    "attention/output/bias": plain(`${block}attn.c_proj.bias`),
    "mlp/up/weight": conv("mlp.c_fc"),
    "mlp/up/bias": plain(`${block}mlp.c_fc.bias`),
    "mlp/down/weight": conv("mlp.c_proj"),
    "mlp/down/bias": plain(`${block}mlp.c_proj.bias`),
  };
}
