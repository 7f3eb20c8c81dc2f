// A plan with degrees, from the costs of its unit: slots of its schedule as long as their blocks take, one after the
// other as the schedule has them; then the update.

import { blocksOf } from "../plan/blocks.ts";
import { chunksInFlight } from "../plan/pipeline.ts";
import type { Plan } from "../plan/plan.ts";
import type { Peaks } from "../program/bound.ts";
import { valueBytes } from "../program/key_value_cache.ts";
import { gradientBytes, stateBytes } from "../program/memory.ts";
import { replicasOf, shardGroups } from "../program/replicas.ts";
import { replicaTraffic } from "../program/replica_traffic.ts";
import { type Schedule, scheduleOf } from "../program/schedule/schedule.ts";
import { timeline } from "../program/schedule/timeline.ts";
import { type LayerCost, msOfPass } from "../program/simulate/layer_costs.ts";
import type { Prediction } from "./candidate.ts";
import { total } from "./model_work.ts";
import type { UnitCosts } from "./unit.ts";

/** What a stage does for one micro-batch. */
interface StageCost {
  readonly layers: readonly LayerCost[];
  readonly blocks: number;
  readonly forwardMs: number;
  readonly backwardMs: number;
}

export function predictDegrees(
  plan: Plan,
  unit: UnitCosts,
  peaks: Peaks,
  latencyMs: number,
): Prediction {
  const schedule = scheduleOf(plan);
  if (schedule === undefined) throw new Error(`${plan.name} is no pipeline`);
  const handOverMs = stageHandOver(plan, peaks, latencyMs);
  const stages = stageCosts(plan, unit, handOverMs);
  const rows = timeline(schedule, (pipelineRank, { phase, chunk }) => {
    const stage = stages[chunk * schedule.pipelineSize + pipelineRank];
    return (phase === "forward" ? stage?.forwardMs : stage?.backwardMs) ?? 0;
  });
  const endMs = Math.max(...rows.map((row) => row.at(-1)?.end ?? 0));
  const updates = ranksOf(schedule, stages).map((own) => updateOf(plan, own, peaks));
  const updateMs = Math.max(...updates.map(({ kernelMs, wireMs }) => kernelMs + wireMs));
  // Counted with its state, whether or not a schedule runs it.
  const isTraining = plan.workload.mode === "training" || schedule.name !== "forward";
  const passMs = total(stages, ({ forwardMs, backwardMs }) => forwardMs + backwardMs);
  return {
    stepMs: endMs + updateMs,
    latencyMs: passMs + updateMs,
    memoryBytes: Math.max(
      ...ranksOf(schedule, stages).map((own, rank) =>
        isTraining ? trainingBytes(plan, schedule, own, rank) : inferenceBytes(plan, own),
      ),
    ),
    ...busiest(plan, schedule, stages, updates),
  };
}

function stageCosts(plan: Plan, unit: UnitCosts, handOverMs: number): StageCost[] {
  const perStage = new Map(plan.stages.map(({ name }) => [name, 0]));
  for (const [first = ""] of blocksOf(plan)) {
    const name = first.slice(0, first.indexOf("/"));
    perStage.set(name, (perStage.get(name) ?? 0) + 1);
  }
  const isTraining = scheduleOf(plan)?.name !== "forward";
  let next = 0;
  return [...perStage.values()].map((blocks, s, { length }) => {
    const layers = unit.blocks.slice(next, next + blocks).flat();
    next += blocks;
    if (s === 0) layers.push(...unit.first);
    if (s === length - 1) layers.push(...unit.last);
    const pass = (phase: "forward" | "backward"): number =>
      total(layers, (layer) => msOfPass(layer[phase]));
    return {
      layers,
      blocks,
      forwardMs: pass("forward") + (s === 0 ? 0 : handOverMs),
      backwardMs: isTraining ? pass("backward") + (s === length - 1 ? 0 : handOverMs) : 0,
    };
  });
}

/** Each rank of a stage gets the rows of its replica, from the rank of the stage before that has the same place. */
function stageHandOver(plan: Plan, { linkBandwidth }: Peaks, latencyMs: number): number {
  if (linkBandwidth === undefined) return latencyMs;
  const { batch, microBatches, sequence } = plan.workload;
  const { data = 1, tensor = 1, sequence: isSplit = false } = plan.degrees ?? {};
  const rows = (batch * sequence) / (microBatches * data * (isSplit ? tensor : 1));
  return latencyMs + (1000 * rows * (plan.model?.hidden ?? 0) * valueBytes(plan)) / linkBandwidth;
}

/** By pipeline rank, the stages that it has. */
function ranksOf({ pipelineSize }: Schedule, stages: readonly StageCost[]): StageCost[][] {
  return Array.from({ length: pipelineSize }, (_, rank) =>
    stages.filter((_stage, s) => s % pipelineSize === rank),
  );
}

interface UpdateCost {
  readonly kernelMs: number;
  readonly wireMs: number;
}

function parametersOf(own: readonly StageCost[]) {
  const layers = own.flatMap((stage) => stage.layers);
  return {
    expertElements: total(layers, ({ experts }) => experts),
    otherElements: total(layers, ({ others }) => others),
  };
}

function updateOf(plan: Plan, own: readonly StageCost[], { linkBandwidth }: Peaks): UpdateCost {
  if (plan.workload.optimizer === undefined) return { kernelMs: 0, wireMs: 0 };
  const kernelMs = total(
    own.flatMap((stage) => stage.layers),
    ({ updateMs }) => updateMs,
  );
  const traffic = replicaTraffic(plan, replicasOf(plan), parametersOf(own));
  const bytes = (traffic?.gradients ?? 0) + (traffic?.weights ?? 0);
  return { kernelMs, wireMs: linkBandwidth === undefined ? 0 : (1000 * bytes) / linkBandwidth };
}

function busiest(
  plan: Plan,
  schedule: Schedule,
  stages: readonly StageCost[],
  updates: readonly UpdateCost[],
): Pick<Prediction, "kernelMs" | "wireMs"> {
  const { microBatches } = plan.workload;
  const isTraining = schedule.name !== "forward";
  const times = ranksOf(schedule, stages).map((own, rank) => {
    const passes = own
      .flatMap((stage) => stage.layers)
      .flatMap(({ forward, backward }) => (isTraining ? [forward, backward] : [forward]));
    const update = updates[rank] ?? { kernelMs: 0, wireMs: 0 };
    return {
      kernelMs: microBatches * total(passes, ({ kernelMs }) => kernelMs) + update.kernelMs,
      wireMs:
        microBatches * total(passes, (pass) => msOfPass(pass) - pass.kernelMs) + update.wireMs,
    };
  });
  return times.reduce((most, each) =>
    each.kernelMs + each.wireMs > most.kernelMs + most.wireMs ? each : most,
  );
}

/** As the plan says it: weights, gradients, the optimizer's state, and what waits for its backward pass. */
function trainingBytes(
  plan: Plan,
  schedule: Schedule,
  own: readonly StageCost[],
  pipelineRank: number,
): number {
  const { zero = 0, data = 1, tensor = 1, sequence = false } = plan.degrees ?? {};
  const { expertElements, otherElements } = parametersOf(own);
  const groups = shardGroups(replicasOf(plan));
  const state = (bytes: number, isSharded: boolean): number =>
    bytes *
    (otherElements / (isSharded ? groups.others : 1) +
      expertElements / (isSharded ? groups.experts : 1));
  const { batch, microBatches, sequence: tokens, recompute } = plan.workload;
  const { name, pipeline, virtualStages } = schedule;
  const inFlight =
    chunksInFlight(pipeline, name === "gpipe" ? "gpipe" : "1f1b", microBatches, pipelineRank) /
    virtualStages;
  const retained = total(
    own.flatMap((stage) => stage.layers),
    ({ retainedBytes }) => retainedBytes,
  );
  const blocks = Math.max(
    1,
    total(own, (stage) => stage.blocks),
  );
  const boundary =
    (batch * tokens * (plan.model?.hidden ?? 0) * valueBytes(plan)) /
    (microBatches * data * (sequence ? tensor : 1));
  const kept =
    recompute?.granularity === "full"
      ? boundary * blocks * inFlight + retained / blocks
      : retained * inFlight;
  return (
    state(valueBytes(plan), zero === 3) +
    state(gradientBytes, zero >= 2) +
    state(stateBytes(plan), zero >= 1) +
    kept
  );
}

/** Weights, and the activations of the layer that has most. */
function inferenceBytes(plan: Plan, own: readonly StageCost[]): number {
  const { expertElements, otherElements } = parametersOf(own);
  const layers = own.flatMap((stage) => stage.layers);
  const largest = Math.max(0, ...layers.map(({ retainedBytes }) => retainedBytes));
  return valueBytes(plan) * (expertElements + otherElements) + largest;
}
