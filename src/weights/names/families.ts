// Every family of models, and which one a checkpoint is of.

import type { Checkpoint } from "../checkpoint.ts";
import { refusedWeights } from "../refused_weights.ts";
import type { WeightFamily } from "./family.ts";
import { falcon } from "./falcon.ts";
import { gpt2 } from "./gpt2.ts";
import { gptj } from "./gptj.ts";
import { llamaLike } from "./llama_like.ts";
import { mpt } from "./mpt.ts";
import { neox } from "./neox.ts";
import { opt } from "./opt.ts";

/** Of those with the same table, the ones that a tensor marks go first. */
const families: readonly WeightFamily[] = [opt, llamaLike, gptj, mpt, gpt2, neox, falcon];

/** With what is before its names. @throws EnvironmentError `weights-refused` where no family has such names */
export function familyOf({ folder, tensors }: Checkpoint): {
  readonly family: WeightFamily;
  readonly prefix: string;
} {
  for (const family of families) {
    const table = [...tensors.keys()].find(
      (name) => name === family.table || name.endsWith(`.${family.table}`),
    );
    if (table === undefined) continue;
    const prefix = table.slice(0, -family.table.length);
    if (family.mark === undefined || tensors.has(`${prefix}${family.mark}`)) {
      return { family, prefix };
    }
  }
  const known = [...new Set(families.map((family) => family.table))].join(", ");
  throw refusedWeights(folder, `none of its tensors is an embedding's table (${known})`);
}
