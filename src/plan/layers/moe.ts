// A mixture of experts.

import { z } from "zod";
import type { ExpertGroup } from "../groups.ts";
import { activations, networkOf, type NetworkActivation } from "../activation.ts";
import { count } from "../schema_numbers.ts";
import type { LayerBase, PlanLayer } from "./layer.ts";
import { groupsOf, isGrouped, parallel, type ParallelFile } from "./parallel.ts";

/** Groups of as many consecutive experts each. */
export interface GroupLimit {
  readonly groups: number;
  /** Groups of which a token's experts are. */
  readonly topGroups: number;
  /** What a group is judged by: its best expert, or its two best together. */
  readonly scoredBy: "best" | "two-best";
}

/** Of a model's experts, and of a layer's. */
export const routingFields = {
  scoring: z.enum(["softmax", "sigmoid"]).exactOptional(),
  routingBias: z.boolean().exactOptional(),
  groupLimit: z
    .strictObject({
      groups: count.max(32),
      topGroups: count,
      scoredBy: z.enum(["best", "two-best"]),
    })
    .exactOptional(),
  routedScale: z.number().positive().exactOptional(),
  weighsInput: z.boolean().exactOptional(),
  auxLossCoeff: z.number().nonnegative().exactOptional(),
  zLossCoeff: z.number().nonnegative().exactOptional(),
};

export interface MoeLayer extends LayerBase {
  readonly op: "moe";
  readonly hidden: number;
  readonly ffn: number;
  readonly activation: NetworkActivation;
  /** As of an MLP. */
  readonly gated: boolean;
  readonly experts: number;
  /** Copies of experts that are placed besides, and take a share of the tokens. Described and counted; cannot run yet. */
  readonly redundantExperts?: number;
  readonly topK: number;
  readonly capacityFactor?: number;
  readonly renormalise: boolean;
  /** Of every matrix of the experts. */
  readonly expertBias?: boolean;
  /** Added to the logits. */
  readonly routerBias?: boolean;
  /** What is made of a router's logits. Absent: their softmax over all experts. */
  readonly scoring?: "softmax" | "sigmoid";
  /** A learned bias per expert is added to the scores by which experts are chosen, and to no weight. */
  readonly routingBias?: boolean;
  /** A token's experts are of its best groups. */
  readonly groupLimit?: GroupLimit;
  /** Of what the chosen experts give. Absent: 1. */
  readonly routedScale?: number;
  /** Weights are of what experts read, not of what they give. */
  readonly weighsInput?: boolean;
  /**
   * Training also minimizes this times experts · Σ fᵢ · Pᵢ over a micro-batch, fᵢ an expert's share of choices and Pᵢ its mean
   * probability, a mean over micro-batches (Megatron-LM's `--moe-aux-loss-coeff`). Of all data replicas together, so that it
   * does not depend on how many they are; in Megatron-LM each replica balances its own tokens.
   */
  readonly auxLossCoeff?: number;
  /** And this times the mean squared logarithm of Σ e^logit (`--moe-z-loss-coeff`). */
  readonly zLossCoeff?: number;
  /** Inner width of the experts that every token passes, all together. */
  readonly sharedFfn?: number;
  /** What these give is scaled by the sigmoid of a product of the token. */
  readonly sharedGate?: boolean;
  /** Of every matrix of these. */
  readonly sharedBias?: boolean;
  /** Who holds the experts. `groups` is where tokens come from. */
  readonly expertGroups: readonly ExpertGroup[];
}

const schema = z.strictObject({
  op: z.literal("moe"),
  hidden: count,
  ffn: count,
  activation: z.enum(activations).exactOptional(),
  /** Default: with silu. */
  gated: z.boolean().exactOptional(),
  experts: count,
  topK: count.exactOptional(),
  capacityFactor: z.number().positive().exactOptional(),
  renormalise: z.boolean().exactOptional(),
  expertBias: z.boolean().exactOptional(),
  routerBias: z.boolean().exactOptional(),
  ...routingFields,
  sharedFfn: count.exactOptional(),
  sharedGate: z.boolean().exactOptional(),
  sharedBias: z.boolean().exactOptional(),
  parallel,
});

export const moe = {
  schema,
  kinds: ["expert", "tensor", "data"],
  read({ parallel: placed, topK = 1, ...rest }, base): MoeLayer {
    const expertGroups = expertGroupsOf(placed);
    const read = { ...networkOf(rest), renormalise: topK > 1, ...rest, topK };
    return { ...base, ...read, expertGroups };
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
    return { weights: [(hidden * ffn * experts) / sharers], activations: [routed * ffn] };
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
