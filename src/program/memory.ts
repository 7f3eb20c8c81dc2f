// Bytes per GPU by kind: what the program's buffers take, and what the plan needs besides that no program here holds
// yet, the KV cache of inference and the state of training.
//
// Training is counted as mixed-precision Adam keeps it: beside f16 weights, gradients in f32 and the optimizer's f32
// weights and two moments, 18 bytes per parameter; with f32 weights 16. ZeRO stage 1 divides the optimizer's state by
// the data replicas, 2 the gradients too, 3 the weights too (Rajbhandari et al. 2020, section 5).

import { chunksInFlight, pipelineOf } from "../plan/pipeline.ts";
import { contextOf } from "../plan/mesh.ts";
import type { AttentionLayer, Plan } from "../plan/plan.ts";
import type { BufferRole } from "./program.ts";

export const memoryKinds = [
  "weights",
  "activations",
  "workspace",
  "keyValueCache",
  "gradients",
  "optimizer",
] as const;

export type MemoryKind = (typeof memoryKinds)[number];

export interface MemoryNeed extends Readonly<Record<MemoryKind, number>> {
  readonly rank: number;
  /**
   * As the plan says it: what it does not say (ZeRO, recomputation) is not done. Without a cache and without
   * training, exactly what a run allocates.
   */
  readonly total: number;
  /**
   * What every run of the plan must hold: weights, KV cache, gradients in the weights' dtype; in training as little
   * as ZeRO 3 and full recomputation leave where the plan does not rule them out, and no optimizer, which it does
   * not name.
   */
  readonly least: number;
}

/** What one rank allocates in one step, by what it is. */
export interface Allocated {
  readonly byRole: Readonly<Partial<Record<BufferRole, number>>>;
  /** Parameters of routed experts, and all others. */
  readonly expertElements: number;
  readonly otherElements: number;
}

/** @param allocated of the rank; of a plan with a training schedule, with copies for micro-batches in flight */
export const memoryNeed = (plan: Plan, rank: number, allocated: Allocated): MemoryNeed => {
  const { byRole } = allocated;
  const role = (...roles: BufferRole[]): number =>
    roles.reduce((sum, each) => sum + (byRole[each] ?? 0), 0);
  const program = {
    weights: role("weight"),
    activations: role("input", "activation"),
    workspace: role("workspace", "staging"),
  };
  const need =
    plan.workload.mode === "training"
      ? inTraining(plan, rank, allocated, program)
      : inInference(plan, rank, program);
  const total = memoryKinds.reduce((sum, kind) => sum + need[kind], 0);
  return { rank, ...need, total, least: Math.min(total, need.least) };
};

type Needs = Record<MemoryKind, number> & { readonly least: number };
type InProgram = Pick<Needs, "weights" | "activations" | "workspace">;

const inInference = (plan: Plan, rank: number, program: InProgram): Needs => {
  const keyValueCache = cacheBytes(plan, rank);
  const least = program.weights + keyValueCache;
  return { ...program, keyValueCache, gradients: 0, optimizer: 0, least };
};

const bytesOf = ({ workload }: Plan): number => (workload.dtype === "f16" ? 2 : 4);

/** Layers that the rank takes part in, with the rows of a micro-batch that it has. */
const attentionOn = (plan: Plan, rank: number): { layer: AttentionLayer; stage: number }[] =>
  plan.stages.flatMap(({ layers }, stage) =>
    layers.flatMap((layer) =>
      layer.op === "attention" && layer.groups.some((group) => group.includes(rank))
        ? [{ layer, stage }]
        : [],
    ),
  );

/** Keys and values of every sample of the batch, where a causal model generates. */
const cacheBytes = (plan: Plan, rank: number): number => {
  const { batch, sequence } = plan.workload;
  if (sequence === 1) return 0;
  let elements = 0;
  for (const { layer } of attentionOn(plan, rank)) {
    if (!layer.causal) continue;
    const tokens = (batch * sequence) / layer.groups.length;
    const members = layer.groups[0]?.length ?? 1;
    elements +=
      layer.latent === undefined
        ? 2 * tokens * Math.max(1, layer.kvHeads / members) * layer.headDim
        : tokens * (layer.latent.keyValueRank + layer.latent.rotaryDim);
  }
  return elements * bytesOf(plan);
};

const inTraining = (
  plan: Plan,
  rank: number,
  { expertElements, otherElements }: Allocated,
  program: InProgram,
): Needs => {
  const isMixed = plan.workload.dtype === "f16";
  /** Bytes per parameter, divided over those that ZeRO shards them over. */
  const state = (bytes: number, isSharded: boolean): number => {
    const { others, experts } = isSharded ? shardedOver(plan) : { others: 1, experts: 1 };
    return bytes * (otherElements / others + expertElements / experts);
  };
  const { zero } = plan.degrees ?? {};
  const stage = zero ?? 0;
  const least = zero ?? 3;
  const weights = stage === 3 ? state(bytesOf(plan), true) : program.weights;
  const activations = activationsInTraining(plan, rank, program.activations);
  return {
    ...program,
    weights,
    activations: activations.total,
    keyValueCache: 0,
    gradients: state(4, stage >= 2),
    optimizer: state(isMixed ? 12 : 8, stage >= 1),
    least: state(bytesOf(plan), least === 3) + state(bytesOf(plan), least >= 2) + activations.least,
  };
};

/** Replicas of a weight: of an expert, the groups that hold it. */
const shardedOver = ({ degrees, stages }: Plan): { others: number; experts: number } => {
  if (degrees === undefined) return { others: 1, experts: 1 };
  const moe = stages.flatMap(({ layers }) => layers).find(({ op }) => op === "moe");
  return {
    others: degrees.data * contextOf(degrees),
    experts: moe?.op === "moe" ? Math.max(1, moe.expertGroups.length) : 1,
  };
};

/**
 * @param inProgram what a run holds: of one micro-batch, or with a schedule of all in flight
 */
const activationsInTraining = (
  plan: Plan,
  rank: number,
  inProgram: number,
): { readonly total: number; readonly least: number } => {
  const { workload, degrees } = plan;
  const { recompute, schedule } = workload;
  const own = attentionOn(plan, rank);
  const inFlight = microBatchesInFlight(plan, own[0]?.stage ?? 0);
  const kept = schedule === undefined ? inProgram * inFlight : inProgram;
  const blocks = own.length;
  if (blocks === 0) return { total: kept, least: 0 };
  const [first] = own;
  const rows =
    ((workload.batch / workload.microBatches) * workload.sequence) /
    Math.max(1, first?.layer.groups.length ?? 1);
  const boundary =
    (rows * (first?.layer.hidden ?? 0) * bytesOf(plan)) /
    (degrees?.sequence === true ? degrees.tensor : 1);
  const least = boundary * blocks * inFlight;
  if (recompute?.granularity !== "full") return { total: kept, least };
  /** All that one block keeps of one micro-batch while it is computed again. */
  const inside = kept / inFlight / blocks;
  const { method = "uniform", layers = 1 } = recompute;
  if (method === "uniform") {
    return { total: least / layers + layers * inside, least: least / layers };
  }
  const again = Math.min(blocks, layers);
  return {
    total: inFlight * (again * boundary + (blocks - again) * inside) + inside,
    least,
  };
};

/** Until its backward pass comes, a micro-batch is kept; of each chunk of layers as many as of the others. */
const microBatchesInFlight = (plan: Plan, stage: number): number => {
  const { microBatches, schedule = "1f1b" } = plan.workload;
  const pipeline = pipelineOf(plan);
  if (pipeline === undefined) return Math.min(plan.stages.length - stage, microBatches);
  const { positions, virtualStages } = pipeline;
  const chunks = chunksInFlight(pipeline, schedule, microBatches, stage % positions.length);
  return chunks / virtualStages;
};
