// The largest logits of each row, which is all that leaves the ranks where tokens are sampled: each finds those of its
// block of the vocabulary, and whole logits are gathered nowhere.

import { candidatesOf } from "../../plan/sampling.ts";
import { membersOf, type ShardedTensor, type Tensor, partsOn } from "../tensor.ts";
import type { Observation } from "../observation.ts";
import type { LayerContext } from "./context.ts";

/**
 * @param logits as they are shown: replicated, or split by rows or columns
 * @param vocabulary without padding, which is no token
 */
export function sampleOps(
  { workload, origin, add }: LayerContext,
  logits: ShardedTensor,
  vocabulary: number,
): void {
  const sampling = workload.serving?.sampling;
  if (sampling === undefined || workload.phase === undefined) return;
  const count = candidatesOf(sampling);
  for (const shard of logits.shards) {
    const { placement, tensor } = shard;
    // Of ranks that hold the same, one is enough.
    const ranks = placement.kind === "replicate" ? shard.ranks.slice(0, 1) : shard.ranks;
    const members = membersOf(shard).slice(0, ranks.length);
    const isSplit = placement.kind === "columns";
    const y: Tensor = {
      name: `${origin.layer}/candidates`,
      layer: origin.layer,
      role: "activation",
      dtype: "u32",
      parts: partsOn(ranks, (member) => ({ shape: [members[member]?.rows ?? 0, 2 * count] })),
    };
    add({ op: "top-logits", origin, ranks, logits: tensor, vocabulary, isSplit, count, y });
    const shown = members.map(({ first, rows }): Observation => ({
      kind: "candidates",
      rowOffset: shard.rowOffset + first,
      rows,
      count,
    }));
    add({ op: "observe", origin, ranks, x: { tensor: y }, shown });
  }
}
