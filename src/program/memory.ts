// Bytes per GPU by kind: what the program's buffers take, and what the plan needs besides that no program here holds
// yet, the KV cache of inference and the state of training.
//
// Training is counted as mixed-precision Adam keeps it: beside f16 weights, gradients in f32 and the optimizer's f32
// weights and two moments, 18 bytes per parameter; with f32 weights 16. ZeRO stage 1 divides the optimizer's state by
// the data replicas, 2 the gradients too, 3 the weights too (Rajbhandari et al. 2020, section 5). With a smaller group
// of ranks that share (HSDP) it divides by the group, and each further group holds a copy.

import { chunksInFlight, hasBackwardSlots, type Pipeline, pipelineOf } from "../plan/pipeline.ts";
import { featuresOfUnknownWeight } from "../plan/import/note_bearing.ts";
import type { AttentionLayer } from "../plan/layers/attention.ts";
import type { GatedDeltaLayer } from "../plan/layers/gated_delta.ts";
import type { Plan } from "../plan/plan.ts";
import { unknownOptimizations } from "../plan/optimizations.ts";
import { cacheBytes, valueBytes } from "./key_value_cache.ts";
import type { BufferRole } from "./program.ts";
import { type Replicas, shardGroups } from "./replicas.ts";

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
   * as ZeRO 3 and full recomputation leave where the plan does not rule them out, and the state of an optimizer where
   * it names one. 0 where the plan names a technique or a feature of which nobody knows what it does.
   */
  readonly least: number;
}

/** What one rank allocates in one step, by what it is. */
export interface Allocated {
  /** Inputs and activations of one micro-batch, had each memory of its own. */
  readonly retainedBytes: number;
  readonly byRole: Readonly<Partial<Record<BufferRole, number>>>;
  /** Parameters of routed experts, and all others, had the rank all that ZeRO shares out. */
  readonly expertElements: number;
  readonly otherElements: number;
}

/** A rank's need from what it allocates: with a training schedule, with copies for micro-batches in flight. */
export type MemoryModel = (rank: number, allocated: Allocated) => MemoryNeed;

/** The rank that needs most. */
export function fullestNeed(needs: readonly MemoryNeed[]): MemoryNeed {
  const [first] = needs;
  if (first === undefined) throw new Error("a plan without GPUs");
  return needs.reduce((most, need) => (need.total > most.total ? need : most), first);
}

/** @param replicas in the whole plan, of which `plan` may be a part */
export function createMemoryModel(plan: Plan, replicas: Replicas): MemoryModel {
  const mixers = mixersByRank(plan);
  const pipeline = pipelineOf(plan);
  return (rank, allocated) =>
    needOf({ plan, replicas, pipeline, own: mixers.get(rank) ?? [] }, rank, allocated);
}

/** What the need of one rank is worked out from. */
interface Given {
  readonly plan: Plan;
  readonly replicas: Replicas;
  readonly pipeline: Pipeline | undefined;
  /** Layers that the rank takes part in and that keep something of earlier tokens. */
  readonly own: readonly PlacedMixer[];
}

interface PlacedMixer {
  readonly layer: AttentionLayer | GatedDeltaLayer;
  /** Index of the rank's group. */
  readonly replica: number;
  readonly stage: number;
}

function needOf(given: Given, rank: number, allocated: Allocated): MemoryNeed {
  const { plan } = given;
  const { byRole } = allocated;
  const role = (...roles: BufferRole[]): number =>
    roles.reduce((sum, each) => sum + (byRole[each] ?? 0), 0);
  const program = {
    weights: role("weight"),
    activations: role("input", "activation"),
    workspace: role("workspace", "staging", "constant"),
  };
  const need =
    plan.workload.optimizer !== undefined
      ? ofStep(given, allocated, program, role("gradient"), role("optimizer"))
      : plan.workload.mode === "training"
        ? inTraining(given, allocated, program)
        : inInference(given, program);
  const total = memoryKinds.reduce((sum, kind) => sum + need[kind], 0);
  // Offloading, fewer bits or shared weights under a name nobody knows: no floor holds.
  const isOpen =
    unknownOptimizations(plan).length > 0 || featuresOfUnknownWeight(plan.model).length > 0;
  const least = isOpen ? 0 : Math.min(total, need.least);
  return { rank, ...need, total, least };
}

type Needs = Record<MemoryKind, number> & { readonly least: number };
type InProgram = Pick<Needs, "weights" | "activations" | "workspace">;

function inInference(given: Given, program: InProgram): Needs {
  const { total: keyValueCache, least } = cacheBytes(given.plan, given.own);
  return { ...program, keyValueCache, gradients: 0, optimizer: 0, least: program.weights + least };
}

/**
 * Of a whole step of training: what the program allocates. With ZeRO stages 1 and 2 the formula: there a rank's own rows lie
 * beside the whole weight, which no other engine needs.
 */
function ofStep(
  given: Given,
  allocated: Allocated,
  program: InProgram,
  gradients: number,
  optimizer: number,
): Needs {
  const { zero = 0 } = given.plan.degrees ?? {};
  // Without an update, what has no gradient keeps the plan from being trained.
  const holdsShards = zero === 3 && optimizer > 0;
  const inPlan =
    zero === 0 || holdsShards
      ? { ...program, gradients, optimizer }
      : { ...program, ...stateInTraining(given, allocated, program.weights, zero) };
  const activations = activationsInTraining(given, program.activations, allocated.retainedBytes);
  const least =
    leastState(given, allocated, stateBytes(given.plan)) +
    Math.min(program.activations, activations.least);
  return { ...inPlan, keyValueCache: 0, least };
}

/** Of weights, gradients in the weights' dtype and the optimizer, sharded as far as the plan does not rule it out. */
function leastState({ plan, replicas }: Given, allocated: Allocated, optimizer: number): number {
  const state = stateOf(replicas, allocated);
  const stage = plan.degrees?.zero ?? 3;
  return (
    state(valueBytes(plan), stage === 3) +
    state(valueBytes(plan), stage >= 2) +
    state(optimizer, stage >= 1)
  );
}

/** The optimizer's state of one parameter. Default: AdamW. */
export function stateBytes({ workload: { dtype, optimizer } }: Plan): number {
  const moments =
    optimizer === undefined || optimizer.name === "adamw" ? 8 : optimizer.momentum > 0 ? 4 : 0;
  return moments + (dtype === "f16" ? 4 : 0);
}

/** Bytes of what ZeRO shards, on one of the ranks that share it. */
function stateInTraining(
  { plan, replicas }: Given,
  allocated: Allocated,
  weights: number,
  stage: number,
): Pick<Needs, "weights" | "gradients" | "optimizer"> {
  const state = stateOf(replicas, allocated);
  return {
    weights: stage === 3 ? state(valueBytes(plan), true) : weights,
    gradients: state(gradientBytes, stage >= 2),
    optimizer: state(stateBytes(plan), stage >= 1),
  };
}

/** From bytes per parameter, which are divided over those that ZeRO shards them over. */
function stateOf(replicas: Replicas, { expertElements, otherElements }: Allocated) {
  return (bytes: number, isSharded: boolean): number => {
    const { others, experts } = isSharded ? shardGroups(replicas) : { others: 1, experts: 1 };
    return bytes * (otherElements / others + expertElements / experts);
  };
}

/** Of one parameter: gradients are summed in f32. */
export const gradientBytes = 4;

function mixersByRank({ stages }: Plan): Map<number, PlacedMixer[]> {
  const byRank = new Map<number, PlacedMixer[]>();
  for (const [stage, { layers }] of stages.entries()) {
    for (const layer of layers) {
      if (layer.op !== "attention" && layer.op !== "gated-delta") continue;
      for (const [replica, ranks] of layer.groups.entries()) {
        for (const rank of ranks) {
          const own = byRank.get(rank) ?? [];
          byRank.set(rank, own);
          own.push({ layer, stage, replica });
        }
      }
    }
  }
  return byRank;
}

function inTraining(given: Given, allocated: Allocated, program: InProgram): Needs {
  const { activations: inProgram, weights } = program;
  const activations = activationsInTraining(given, inProgram, allocated.retainedBytes);
  return {
    ...program,
    ...stateInTraining(given, allocated, weights, given.plan.degrees?.zero ?? 0),
    activations: activations.total,
    keyValueCache: 0,
    least: leastState(given, allocated, 0) + activations.least,
  };
}

/**
 * A program with backward slots computes again what the plan says; without them a formula counts it.
 *
 * @param inProgram what a run holds
 * @param retained of one micro-batch, had each activation memory of its own
 */
function activationsInTraining(
  given: Given,
  inProgram: number,
  retained: number,
): { readonly total: number; readonly least: number } {
  const { plan, own } = given;
  const { workload, degrees } = plan;
  const { recompute, schedule } = workload;
  const inFlight = microBatchesInFlight(given, own[0]?.stage ?? 0);
  const kept = schedule === undefined ? retained * inFlight : inProgram;
  const blocks = own.length;
  if (blocks === 0) return { total: kept, least: 0 };
  const [first] = own;
  const rows =
    ((workload.batch / workload.microBatches) * workload.sequence) /
    Math.max(1, first?.layer.groups.length ?? 1);
  const boundary =
    (rows * (first?.layer.hidden ?? 0) * valueBytes(plan)) /
    (degrees?.sequence === true ? degrees.tensor : 1);
  if (recompute?.granularity !== "full") {
    return { total: kept, least: leastBoundaries(blocks, inFlight) * boundary };
  }
  const boundaries = boundary * blocks * inFlight;
  const { method = "uniform", layers = 1 } = recompute;
  const least = method === "uniform" ? boundaries / layers : boundaries;
  if (hasBackwardSlots(plan)) return { total: kept, least };
  /** All that one block keeps of one micro-batch while it is computed again. */
  const inside = kept / inFlight / blocks;
  if (method === "uniform") {
    return { total: least + layers * inside, least };
  }
  const again = Math.min(blocks, layers);
  return {
    total: inFlight * (again * boundary + (blocks - again) * inside) + inside,
    least,
  };
}

/** Blocks' inputs that are kept at once, recomputing the best number of blocks at a time (Chen et al. 2016). */
function leastBoundaries(blocks: number, inFlight: number): number {
  let least = Infinity;
  for (let chunk = 1; chunk <= blocks; chunk++) {
    least = Math.min(least, Math.ceil(blocks / chunk) * inFlight + chunk);
  }
  return least;
}

/** Until its backward pass comes, a micro-batch is kept; of each chunk of layers as many as of the others. */
function microBatchesInFlight({ plan, pipeline }: Given, stage: number): number {
  const { microBatches, schedule = "1f1b" } = plan.workload;
  if (pipeline === undefined) return Math.min(plan.stages.length - stage, microBatches);
  const { pipelineRanks, virtualStages } = pipeline;
  const chunks = chunksInFlight(pipeline, schedule, microBatches, stage % pipelineRanks.length);
  return chunks / virtualStages;
}
