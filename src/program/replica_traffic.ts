// Bytes that replicas of a weight exchange in training: gradients, and with ZeRO the weights too, of a plan without an
// optimizer. With one the program moves them.
//
// n replicas: an all-reduce brings each rank 2(n − 1)/n of the gradients, a reduce-scatter or an all-gather (n − 1)/n.
// Without ZeRO gradients are summed by an all-reduce; with stage 1 and 2 they are scattered and the weights gathered
// once a step; with stage 3 weights are gathered for both passes of each micro-batch (Rajbhandari et al. 2020,
// section 7). From stage 2 on nobody keeps whole gradients, so that each micro-batch scatters its own. Where several
// groups hold a copy each (HSDP), all of this is within a group, and once a step an all-reduce over the c copies sums
// each rank's shard of the gradients.

import type { Plan } from "../plan/plan.ts";
import { valueBytes } from "./key_value_cache.ts";
import { type Allocated, gradientBytes } from "./memory.ts";
import { type Replicas, shardGroups } from "./replicas.ts";

/** Received by one rank in a step. */
export interface ReplicaTraffic {
  readonly gradients: number;
  readonly weights: number;
}

/** Share of a weight that the other replicas hand over. */
function ofOthers(replicas: number): number {
  return (replicas - 1) / replicas;
}

/** Undefined where nothing is trained or there is one replica of everything. */
export function replicaTraffic(
  plan: Plan,
  replicas: Replicas,
  { expertElements, otherElements }: Pick<Allocated, "expertElements" | "otherElements">,
): ReplicaTraffic | undefined {
  const { mode, microBatches } = plan.workload;
  if (mode !== "training" || (replicas.others === 1 && replicas.experts === 1)) return undefined;
  const stage = plan.degrees?.zero ?? 0;
  if (stage === 0) {
    const elements =
      otherElements * ofOthers(replicas.others) + expertElements * ofOthers(replicas.experts);
    return { gradients: 2 * gradientBytes * elements, weights: 0 };
  }
  const { others, experts } = shardGroups(replicas);
  const elements = otherElements * ofOthers(others) + expertElements * ofOthers(experts);
  const shard = otherElements / others + expertElements / experts;
  const rounds = stage >= 2 ? microBatches : 1;
  return {
    gradients: gradientBytes * (elements * rounds + 2 * shard * ofOthers(replicas.copies)),
    weights: valueBytes(plan) * elements * (stage === 3 ? 2 * microBatches : 1),
  };
}
