// What a program will cost, read off its instructions: nothing is run.

import { whyNotStated } from "../plan/import/parameters_stated.ts";
import { countParameters } from "../plan/parameters.ts";
import type { Plan } from "../plan/plan.ts";
import type { Bound, Peaks } from "./bound.ts";
import { createClock } from "./bound_clock.ts";
import type { ActivationMemory } from "./emit/activation_memory.ts";
import { type Listener, listen } from "./listen.ts";
import { stepOf } from "./lower.ts";
import { layerNames } from "./plan_ops.ts";
import type { Program } from "./program.ts";
import { phasePlan, stepPlan } from "./serving/phase_plan.ts";
import { expand, expandTotals } from "./expand.ts";
import { type Allocated, createMemoryModel, type MemoryNeed } from "./memory.ts";
import { replicasOf } from "./replicas.ts";
import { expandRepeats, inEveryBlock, shorten } from "./repeats.ts";
import { type ReplicaTraffic, replicaTraffic } from "./replica_traffic.ts";
import { itself, oneOfAlike } from "./symmetry.ts";
import { createTally, type Totals } from "./tally.ts";
import type { LayerEstimate, RankEstimate } from "./tally.ts";
import { volumeOf } from "./tensor.ts";
import { type ForwardFlops, unsharded, type Unsharded } from "./unsharded_cost.ts";
import { createWireCount } from "./wire.ts";

export type { CollectiveEstimate, KernelEstimate, LayerEstimate, RankEstimate } from "./tally.ts";

export interface Estimate {
  readonly ranks: readonly RankEstimate[];
  readonly layers: readonly LayerEstimate[];
  /**
   * What the model needs per step, however it is split: the FLOPs of the unsharded program. The numerator
   * of MFU. A causal kernel counts half of the score matrix; experts count the tokens sent to them.
   */
  readonly modelFlops: number;
  readonly forwardFlops: ForwardFlops;
}

/** Everything that follows from a plan before it runs. */
export interface PlanEstimate extends Estimate, Totals {
  /** Samples and tokens of one step. */
  readonly batch: number;
  readonly tokens: number;
  readonly microBatches: number;
  readonly parameters: Parameters;
  /** One entry per GPU. */
  readonly sharedActivations: readonly SharedActivations[];
  /** One entry per GPU. */
  readonly memory: readonly MemoryNeed[];
  /** In training with replicas: what the GPU with most of it receives, where the program has no update that moves it. */
  readonly replicaTraffic?: ReplicaTraffic;
  /** Present where a peak was given. */
  readonly bound?: Bound;
  /** Of serving, a prefill step; all else is of a decode step, but for memory, which is of both. */
  readonly prefill?: PlanEstimate;
}

/** What a rank's activations take that use the same memory in turn. */
export interface SharedActivations {
  readonly rank: number;
  readonly bytes: number;
  /** The most of them that are alive at the same time: no way of sharing needs less. */
  readonly liveBytes: number;
}

export interface Parameters {
  readonly total: number;
  /** Those that one token passes: of the experts its `topK`. */
  readonly active: number;
  /** Those that the unsharded program holds: without what no layer runs. */
  readonly inProgram: number;
  /** What `total` and `active` are read from. */
  readonly source: "model" | "program";
  /** Why `total` and `active` are the plan's and not those of the model that it was imported from. */
  readonly notStated?: string;
}

/** Costs of one step of `program`, which was lowered from `plan`; of serving a decode step. */
export function estimate(program: Program, plan: Plan): Estimate {
  if (program.phases !== undefined && plan.workload.phase === undefined) {
    return estimate(stepOf(program), stepPlan(plan));
  }
  const tally = createTally(program.ranks.length, program.layers, createWireCount());
  for (const { rank, buffers, instructions } of program.ranks) {
    for (const { role, bytes, within } of buffers) {
      if (within === undefined) tally.allocate(rank, role, bytes, []);
    }
    for (const instruction of instructions) tally.add(rank, instruction);
  }
  // All micro-batches were added.
  const { ranks, layers } = tally.totals(1);
  const { flops, forwardFlops } = unsharded(plan);
  return { ranks, layers, modelFlops: flops, forwardFlops };
}

/**
 * Costs of one step of `plan`, from the same lowering that makes its program, of which none is kept. Of data
 * replicas that do the same, one set is lowered: thousands of GPUs take as long as a few.
 *
 * @param plan as for `lower`; where ranks cannot share sequences and only the first of them run, all count
 * @param peaks of each GPU; without them there is no bound
 */
export function estimatePlan(plan: Plan, peaks?: Peaks): PlanEstimate {
  const { mode, phase } = plan.workload;
  if (mode !== "serving" || phase !== undefined) return estimateStep(plan, peaks);
  const [decode, prefill] = [phasePlan(plan, "decode"), phasePlan(plan, "prefill")];
  return {
    ...estimateStep(decode, peaks, prefill),
    prefill: estimateStep(prefill, peaks, decode),
  };
}

/** @param beside whose steps use the same memory in turn */
function estimateStep(plan: Plan, peaks?: Peaks, beside?: Plan): PlanEstimate {
  const { batch, sequence, microBatches } = plan.workload;
  const step = { batch, tokens: batch * sequence, microBatches };
  // Gradients are summed over replicas.
  const isTraining = plan.workload.optimizer !== undefined;
  const symmetry = isTraining ? itself(plan) : oneOfAlike(plan);
  const { gpus } = symmetry.plan.hardware;
  const declared = new Set(plan.communications.map(({ name }) => name));
  const wire = createWireCount();
  const repeats = shorten(symmetry.plan);
  const { timesOf } = repeats;
  const tally = createTally(gpus, layerNames(repeats.plan), wire, declared, timesOf, microBatches);
  const parameters = createParameterCount(gpus);
  const retained = new Float64Array(gpus);
  const clock = peaks === undefined ? undefined : createClock(gpus, peaks, wire, timesOf);
  const other = beside && shorten(oneOfAlike(beside).plan);
  let updates = false;
  const sink: Listener = {
    begin: (layer) => clock?.begin(layer),
    allocate(rank, role, bytes, shape, layer = "") {
      tally.allocate(rank, role, bytes, shape, layer);
      if (role === "weight") parameters.add(rank, shape, timesOf(layer));
    },
    retain(rank, bytes, layer) {
      retained[rank] = (retained[rank] ?? 0) + timesOf(layer) * bytes;
    },
    add(rank, instruction) {
      tally.add(rank, instruction);
      clock?.add(rank, instruction);
      updates ||= instruction.origin.phase === "update";
    },
  };
  const activations = listen(repeats, sink, other);
  const sharesWeights = updates && symmetry.plan.degrees?.zero === 3;
  const held = sharesWeights ? parametersUnshared(symmetry.plan) : parameters;
  const alone = unsharded(plan);
  const totals = expandRepeats(tally.totals(microBatches), repeats);
  const replicas = replicasOf(plan);
  const memoryOf = createMemoryModel(symmetry.plan, replicas);
  const [traffic] = updates
    ? []
    : totals.ranks
        .flatMap(({ rank }) => replicaTraffic(plan, replicas, held.of(rank)) ?? [])
        .toSorted((a, b) => b.gradients + b.weights - a.gradients - a.weights);
  const needs = totals.ranks.map(({ rank, memoryByRole }) =>
    memoryOf(rank, {
      byRole: memoryByRole,
      retainedBytes: retained[rank] ?? 0,
      ...held.of(rank),
    }),
  );
  const ofShort = clock?.bound(step);
  const bound = ofShort && { ...ofShort, layers: inEveryBlock(ofShort.layers, repeats.stoodFor) };
  return {
    ...step,
    ...expandTotals(totals, symmetry, plan.hardware.gpus),
    modelFlops: alone.flops,
    forwardFlops: alone.forwardFlops,
    parameters: parametersOf(plan, alone),
    sharedActivations: expand(
      totals.ranks.map(({ rank }) => sharedOn(activations, rank)),
      symmetry,
      plan.hardware.gpus,
      sharedOn(activations, -1),
    ),
    memory: expand(needs, symmetry, plan.hardware.gpus, noNeed),
    ...(traffic === undefined ? {} : { replicaTraffic: traffic }),
    ...(bound === undefined
      ? {}
      : { bound: { ...bound, ranks: expand(bound.ranks, symmetry, plan.hardware.gpus, noBound) } }),
  };
}

function sharedOn(activations: ActivationMemory, rank: number): SharedActivations {
  const { arenas = [], liveBytes = 0 } = activations.on(rank) ?? {};
  return { rank, bytes: arenas.reduce((sum, bytes) => sum + bytes, 0), liveBytes };
}

const noNeed: MemoryNeed = {
  rank: -1,
  weights: 0,
  activations: 0,
  workspace: 0,
  keyValueCache: 0,
  gradients: 0,
  optimizer: 0,
  total: 0,
  least: 0,
};
const noBound = { rank: -1, waitMs: 0, kernelMs: 0, wireMs: 0 };

/** Experts are the only weights of three dimensions. */
function createParameterCount(ranks: number) {
  const counts = Array.from({ length: ranks }, () => ({ expertElements: 0, otherElements: 0 }));
  return {
    add(rank: number, shape: readonly number[], times: number): void {
      const own = counts[rank];
      if (own === undefined) return;
      const elements = times * volumeOf(shape);
      if (shape.length === 3) own.expertElements += elements;
      else own.otherElements += elements;
    },
    of: (rank: number): Omit<Allocated, "byRole" | "retainedBytes"> =>
      counts[rank] ?? { expertElements: 0, otherElements: 0 },
  };
}

/** Had each rank all that it shares: what is least holds of other engines too, which share out by rules of their own. */
function parametersUnshared(plan: Plan): ReturnType<typeof createParameterCount> {
  const { degrees } = plan;
  const parameters = createParameterCount(plan.hardware.gpus);
  const repeats = shorten(
    degrees === undefined ? plan : { ...plan, degrees: { ...degrees, zero: 0 } },
  );
  listen(repeats, {
    allocate(rank, role, _bytes, shape, layer = "") {
      if (role === "weight") parameters.add(rank, shape, repeats.timesOf(layer));
    },
    add() {},
  });
  return parameters;
}

function parametersOf(plan: Plan, { parameters, idleParameters }: Unsharded): Parameters {
  if (plan.model === undefined) {
    const active = parameters - idleParameters;
    return { total: parameters, active, inProgram: parameters, source: "program" };
  }
  const { total, active } = countParameters(plan.model);
  const notStated = whyNotStated(plan.notes);
  return {
    total,
    active,
    inProgram: parameters,
    source: "model",
    ...(notStated === undefined ? {} : { notStated }),
  };
}
