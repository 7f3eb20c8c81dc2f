// A family of models whose checkpoints name weights alike.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import type { MoeLayer } from "../../plan/layers/moe.ts";
import type { Role } from "./layer_places.ts";
import type { Recipe } from "./recipe.ts";

/** What recipes depend on. */
export interface FamilyModel {
  /** The model's attention; absent where it has none. */
  readonly attention?: AttentionLayer;
  /** Of the dense MLP. */
  readonly ffn: number;
  /** Its first experts; absent where it has none. */
  readonly moe?: MoeLayer;
}

/** `<role>/<part>`, such as `attention/q/weight`: how it may be stored, the first that is there. */
export type Recipes = Readonly<Partial<Record<`${Role}/${string}`, readonly Recipe[]>>>;

export interface WeightFamily {
  /** Ends the name of its embedding's table; what is before it is a prefix of all names. */
  readonly table: string;
  /** A tensor that tells it from other families with such a table. */
  readonly mark?: string;
  readonly recipes: (model: FamilyModel) => Recipes;
}

/** Stored as it is. */
export function plain(...names: string[]): Recipe[] {
  return names.map((name) => ({ name }));
}
