// How many replicas of a weight there are, and over how many ranks ZeRO shards it.

import { moeLayers } from "../plan/layers.ts";
import type { Layer } from "../plan/layers/layers.ts";
import { contextOf, stateCopies } from "../plan/mesh.ts";
import type { Plan } from "../plan/plan.ts";

/** Replicas of a weight, which ZeRO shards it over: of the experts, groups that hold them. */
export interface Replicas {
  readonly experts: number;
  readonly others: number;
  /** Copies that are left once ZeRO has sharded: 1 where all replicas share the shards. */
  readonly copies: number;
}

/** Ranks that share one copy of what ZeRO shards. */
export function shardGroups({ experts, others, copies }: Replicas): Omit<Replicas, "copies"> {
  return {
    experts: Math.max(1, experts / copies),
    others: others / copies,
  };
}

export function replicasOf(plan: Plan): Replicas {
  const { degrees, stages } = plan;
  if (degrees === undefined) {
    const layers = stages.flatMap((stage) => stage.layers);
    const most = (of: (layer: Layer) => number): number => Math.max(1, ...layers.map(of));
    return {
      others: most(({ groups }) => groups.length),
      experts: most((layer) => layer.expertGroups?.length ?? 1),
      copies: 1,
    };
  }
  const [moe] = moeLayers(plan);
  return {
    others: degrees.data * contextOf(degrees),
    experts: Math.max(1, moe?.expertGroups.length ?? 1),
    copies: stateCopies(degrees),
  };
}
