// A mixture of experts.

import { z } from "zod";
import type { ExpertGroup } from "../groups.ts";
import { count } from "../schema_numbers.ts";
import type { LayerBase, PlanLayer } from "./layer.ts";
import { groupsOf, isGrouped, parallel, type ParallelFile } from "./parallel.ts";

export interface MoeLayer extends LayerBase {
  readonly op: "moe";
  readonly hidden: number;
  readonly ffn: number;
  readonly activation: "gelu" | "silu";
  readonly experts: number;
  /** Copies of experts that are placed besides, and take a share of the tokens. Described and counted; cannot run yet. */
  readonly redundantExperts?: number;
  readonly topK: number;
  readonly capacityFactor?: number;
  readonly renormalise: boolean;
  /** Inner width of the experts that every token passes. Described and counted; cannot run yet. */
  readonly sharedFfn?: number;
  /** Who holds the experts. `groups` is where tokens come from. */
  readonly expertGroups: readonly ExpertGroup[];
}

const schema = z.strictObject({
  op: z.literal("moe"),
  hidden: count,
  ffn: count,
  activation: z.enum(["gelu", "silu"]).exactOptional(),
  experts: count,
  topK: count.exactOptional(),
  capacityFactor: z.number().positive().exactOptional(),
  renormalise: z.boolean().exactOptional(),
  parallel,
});

export const moe = {
  schema,
  kinds: ["expert", "tensor", "data"],
  read({ parallel: placed, topK = 1, ...rest }, base): MoeLayer {
    const expertGroups = expertGroupsOf(placed);
    return { ...base, activation: "gelu", renormalise: topK > 1, ...rest, topK, expertGroups };
  },
  write({ expertGroups, ...sizes }, { gpus: tokenGpus }) {
    const holders = expertGroups.map((group) => group.flat());
    const gpus = holders.length === 1 ? holders.flat() : holders;
    return { ...sizes, parallel: { kind: "expert", gpus, tokenGpus } };
  },
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ hidden, ffn }) => `${hidden} ↔ ${ffn}`,
  share: () => "tokens",
  // Slices of an expert give summands; whole experts give back the rows that they were sent.
  leaves: (layer) => ({ placement: isSliced(layer) ? "partial" : "rows", isCompleted: true }),
  takes: () => "rows",
  mixes: "channels",
  inModel: (field) => (field === "hidden" ? [field] : ["moe", field]),
  buffers({ hidden, ffn, experts, topK, groups, expertGroups }, _members, rows) {
    const owners = Math.max(1, expertGroups.flat(2).length);
    const routed = (rows * groups.length * topK) / owners;
    const sharers = expertGroups[0]?.flat().length ?? 1;
    return [(hidden * ffn * experts) / sharers, routed * ffn];
  },
} satisfies PlanLayer<MoeLayer, z.infer<typeof schema>>;

function isSliced({ expertGroups }: MoeLayer): boolean {
  return (expertGroups[0]?.[0]?.length ?? 1) > 1;
}

/**
 * `expert` gives each GPU of a list whole experts; `tensor` gives it a slice of every expert, `data` all of them.
 * A list of lists has every expert in each list.
 */
function expertGroupsOf(placed: ParallelFile): ExpertGroup[] {
  const { kind, gpus } = placed;
  if (kind !== "expert") return groupsOf(placed).map((group) => [group]);
  return (isGrouped(gpus) ? gpus : [gpus]).map((list) => list.map((gpu) => [gpu]));
}
