// Every family of models, and which one a checkpoint is of.

import type { Checkpoint } from "../checkpoint.ts";
import { refusedWeights } from "../refused_weights.ts";
import type { Family } from "./family.ts";
import { falcon } from "./falcon.ts";
import { gpt2 } from "./gpt2.ts";
import { llamaLike } from "./llama_like.ts";
import { neox } from "./neox.ts";

const families: readonly Family[] = [llamaLike, gpt2, neox, falcon];

/** With what is before its names. @throws EnvironmentError `weights-refused` where no family has such names */
export function familyOf({ folder, tensors }: Checkpoint): {
  readonly family: Family;
  readonly prefix: string;
} {
  for (const family of families) {
    const table = [...tensors.keys()].find(
      (name) => name === family.table || name.endsWith(`.${family.table}`),
    );
    if (table !== undefined) return { family, prefix: table.slice(0, -family.table.length) };
  }
  const known = families.map((family) => family.table).join(", ");
  throw refusedWeights(folder, `none of its tensors is an embedding's table (${known})`);
}
