// A branch: what came before an earlier layer, where and as that layer had it.

import type { BranchLayer } from "../../plan/layers/branch.ts";
import { redistribute } from "../redistribute.ts";
import type { ShardedTensor } from "../tensor.ts";
import type { LayerContext } from "./context.ts";
import { wantedBy } from "./split_tokens.ts";

/** @param earlier inputs of the stage's layers, of which one is read again */
export function branchOps(
  { origin, add }: LayerContext,
  layer: BranchLayer,
  _input: ShardedTensor,
  earlier: readonly ShardedTensor[],
): ShardedTensor {
  const read = earlier[layer.from];
  if (read === undefined) throw new Error(`${origin.layer}: no layer ${layer.from}`);
  return redistribute(read, { add, name: `${origin.layer}/again`, ...wantedBy(layer) });
}
