// Techniques as switches of a plan: the same work without one of them.

import { readsAhead } from "./data_set.ts";
import { contextOf } from "./mesh.ts";
import { pipelineOf } from "./pipeline.ts";
import type { Plan } from "./plan.ts";

/** What data replicas share out, which `parallel.zero` says and no name among the optimizations. */
const zero = "zero";

/** Names of all that can be asked for, those of optimizations first. */
export function techniquesOf({ optimizations, degrees, workload }: Plan): string[] {
  const isSharded = workload.optimizer !== undefined && (degrees?.zero ?? 0) > 0;
  return [...new Set([...optimizations, ...(isSharded ? [zero] : [])])];
}

/** The plan without a technique, or why there is no such plan, in a phrase. */
export type Switched = { readonly plan: Plan } | { readonly why: string };

/**
 * Pure: weights, inputs and the sum of gradients stay what they are, and only how they come about changes.
 *
 * @param technique of `techniquesOf`
 */
export function withoutTechnique(plan: Plan, technique: string): Switched {
  const off = switches[technique];
  return off === undefined ? { why: "nothing here knows that name" } : off(plan);
}

const switches: Readonly<Record<string, (plan: Plan) => Switched>> = {
  "communication-overlap": (plan) => ({ plan: unnamed(plan, "communication-overlap") }),

  "activation-checkpointing"(plan) {
    const { recompute, optimizer, ...workload } = plan.workload;
    if (optimizer === undefined) return { why: "without an optimizer there is no backward pass" };
    return recompute === undefined
      ? { why: "workload.recompute does not say what is computed again" }
      : { plan: { ...plan, workload: { ...workload, optimizer } } };
  },

  "gradient-accumulation"(plan) {
    const { workload } = plan;
    if (workload.optimizer === undefined) return { why: "without an optimizer nothing adds up" };
    if (workload.microBatches === 1) return { why: "a step of one micro-batch adds nothing up" };
    const why = ofEachMicroBatch(plan);
    if (why !== undefined) return { why };
    const pipelineRanks = pipelineOf(plan)?.pipelineRanks.length ?? plan.stages.length;
    return pipelineRanks === 1
      ? { plan: { ...plan, workload: { ...workload, microBatches: 1 } } }
      : { why: "micro-batches also fill the pipeline, which runs empty without them" };
  },

  "mixed-precision": (plan) =>
    plan.workload.dtype === "f32"
      ? { why: "the workload's dtype is f32 throughout" }
      : { plan: { ...plan, workload: { ...plan.workload, dtype: "f32" } } },

  "fused-attention"(plan) {
    const layers = plan.stages.flatMap((stage) => stage.layers);
    const attentions = layers.flatMap((layer) => (layer.op === "attention" ? layer : []));
    if (attentions.length === 0) return { why: "no layer attends" };
    if (plan.degrees !== undefined && contextOf(plan.degrees) > 1) {
      return { why: "attention whose keys go round a ring is in one kernel only" };
    }
    return attentions.some(({ sinks }) => sinks === true)
      ? { why: "attention with sinks is in one kernel only" }
      : { plan: { ...plan, workload: { ...plan.workload, attention: "unfused" } } };
  },

  [zero](plan) {
    if (plan.degrees === undefined) return { why: "the plan has no degrees" };
    const { zero: _, dataShard: __, ...degrees } = plan.degrees;
    return { plan: { ...plan, degrees } };
  },

  [readsAhead](plan) {
    const { data } = plan.workload;
    if (data === undefined) return { why: "the plan names no data set (workload.data)" };
    const workload = { ...plan.workload, data: { ...data, isPrefetched: false } };
    return { plan: unnamed({ ...plan, workload }, readsAhead) };
  },
};

/** What of a mixture of experts is no sum over tokens, so that all of them at once train otherwise. */
function ofEachMicroBatch({ stages }: Plan): string | undefined {
  const mixtures = stages.flatMap(({ layers }) =>
    layers.flatMap((layer) => (layer.op === "moe" ? layer : [])),
  );
  if (mixtures.some(({ auxLossCoeff = 0 }) => auxLossCoeff > 0)) {
    return "routers are balanced over each micro-batch by itself";
  }
  return mixtures.some(({ capacityFactor }) => capacityFactor !== undefined)
    ? "experts drop tokens by those of each micro-batch"
    : undefined;
}

function unnamed(plan: Plan, technique: string): Plan {
  return { ...plan, optimizations: plan.optimizations.filter((name) => name !== technique) };
}
