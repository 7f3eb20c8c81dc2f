// What a run of a plan takes on a machine, before it is made: ranks, memory, the largest buffers, and the time until its
// first figures. Times are no bounds: kernels are taken to reach a share of the peak, and each instruction costs its
// launch.

import type { Plan, ServingPhase } from "../../plan/plan.ts";
import type { Peaks } from "../../program/bound.ts";
import { estimatePlan, type PlanEstimate } from "../../program/estimate.ts";
import type { Overheads } from "../../program/simulate/hardware_cost.ts";
import { largestBuffers } from "../../program/largest_buffers.ts";
import { valueBytes } from "../../program/key_value_cache.ts";
import { sequencePlan } from "../../program/serving/phase_plan.ts";
import { stepsOfRound } from "../../program/serving/steps_of_round.ts";
import { unshard } from "../../program/unshard.ts";
import { referenceFlops } from "../verify.ts";
import type { Exceeded } from "../../result/result.ts";
import type { Capability, Machine } from "./machine.ts";

export interface RunCost {
  readonly ranks: number;
  /** Bytes of all ranks on the adapter that is fullest, and of the host with everything else. */
  readonly adapterBytes: number;
  readonly hostBytes: number;
  /** The largest tensor, and the largest buffer. */
  readonly bindingBytes: number;
  readonly bufferBytes: number;
  readonly stepMs: number;
  /** Until the report is there. */
  readonly totalMs: number;
}

/** The share of the peak that kernels of plans reach; less where halves are unpacked and packed in every kernel. */
const reached = 0.2;
const reachedUnpacking = 0.08;
/** ms of an instruction on one rank: encoding, submitting, a barrier between cores. */
const perInstructionMs = 0.08;
/** ms of holding an instruction's result against its operands, on the host. */
const perCheckMs = 2;
/** Bytes per second of one rank that sends or receives through shared memory, all copies together. */
const transferRate = 1.5e9;
/** A process with Node, Dawn and a driver. */
const processBytes = 250e6;
/** Shaders, timestamps, and what drivers round up. */
const memoryMargin = 1.15;
/** FLOP/s and values per second of the f64 reference on a core. */
const oracleFlops = 1.5e9;
const oracleValues = 3e7;
const oracleBytes = 8;
/** Values per second of weights that ranks make, and that a thorough check projects, all cores and one core. */
const madeValues = 1e8;
const projectedValues = 3e7;
/** So many times the largest weight is what the reference holds at once. */
const layerBuffers = 2;
/** Adapters, ranks, calibration, analysis. */
const startMs = 6_000;
const perRankMs = 700;
/** As `runPlan` does: kernels are tuned for at most so long on an adapter, and steps timed for so long. */
const tuningMs = 2_000;
const leastSteps = 5;
const samplingMs = 5_000;
/** One before tuning, the checked one, one to warm up. */
const otherSteps = 3;
/** Of a twin without overlap, whose first step is the one to warm up: one beside each of the timed ones. */
const twinSteps = leastSteps;

/** @param samplingFor ms of timed steps, where that was asked for */
export function costOf(plan: Plan, machine: Machine, samplingFor = samplingMs): RunCost {
  const placement = machine.place(plan.hardware.gpus);
  const peaks = slowestPeaks(placement);
  const estimate = estimatePlan(plan, peaks);
  const { binding, buffer } = largestBuffers(plan);
  const check =
    plan.workload.mode === "serving"
      ? checkOfServing(plan, placement, machine.cores)
      : checkOf(plan, estimate, placement, machine.cores);
  const share = sharePlanned(plan, placement);
  const stepMs = stepOf(estimate, placement, machine.cores, share);
  const served = estimate.prefill && {
    decode: stepMs,
    prefill: stepOf(estimate.prefill, placement, machine.cores, share),
  };
  const perAdapter = [...adaptersOf(placement)].map(([, ranks]) =>
    ranks.reduce((sum, rank) => sum + (estimate.ranks[rank]?.memoryBytes ?? 0), 0),
  );
  const adapterBytes = memoryMargin * Math.max(...perAdapter);
  const onHost = placement.every(({ software }) => !software)
    ? 0
    : memoryMargin * perAdapter.reduce((sum, bytes) => sum + bytes, 0);
  const untimed =
    otherSteps + (plan.optimizations.includes("communication-overlap") ? twinSteps : 0);
  const steps =
    served === undefined
      ? untimed * stepMs + Math.max(leastSteps * stepMs, samplingFor)
      : roundsOf(plan, served, samplingFor);
  return {
    ranks: plan.hardware.gpus,
    adapterBytes: adapterBytes + check.adapterBytes,
    hostBytes: onHost + check.hostBytes + processBytes * plan.hardware.gpus,
    bindingBytes: binding,
    bufferBytes: buffer,
    stepMs,
    totalMs:
      startMs +
      (plan.hardware.gpus / machine.cores) * perRankMs +
      (1000 * estimate.parameters.inProgram) / madeValues +
      (stepMs > tuningMs ? 0 : stepMs + tuningMs * adaptersOf(placement).size) +
      perCheckMs * launchesInARow(estimate, placement, machine.cores) +
      check.ms +
      steps,
  };
}

/** A round to check, one to warm up, where requests come one after the other two, and those that are timed. */
function roundsOf(
  plan: Plan,
  stepMs: Readonly<Record<ServingPhase, number>>,
  samplingFor: number,
): number {
  const { prefill, decode } = stepsOfRound(plan);
  const roundMs = prefill * stepMs.prefill + decode * stepMs.decode;
  const before = plan.workload.serving?.scheduler.requestsPerSecond === undefined ? 2 : 3;
  return before * roundMs + Math.max(roundMs, samplingFor);
}

/** What does not fit; empty where all does. @param timeMs for the whole run */
export function exceededBy(cost: RunCost, machine: Machine, timeMs: number): Exceeded[] {
  const placement = machine.place(cost.ranks);
  const least = (of: (each: Capability) => number): number => Math.min(...placement.map(of));
  const all: readonly Exceeded[] = [
    { limit: "ranks", needed: cost.ranks, allowed: machine.mostRanks },
    {
      limit: "binding",
      needed: cost.bindingBytes,
      allowed: least(({ bindingBytes }) => bindingBytes),
    },
    {
      limit: "buffer",
      needed: cost.bufferBytes,
      allowed: least(({ bufferBytes }) => bufferBytes),
    },
    {
      limit: "adapter memory",
      needed: cost.adapterBytes,
      allowed: least(({ memoryBytes }) => memoryBytes),
    },
    { limit: "host memory", needed: cost.hostBytes, allowed: machine.hostBytes },
    { limit: "time", needed: cost.totalMs, allowed: timeMs },
  ];
  return all.filter(({ needed, allowed }) => needed > allowed);
}

function slowestPeaks(placement: readonly Capability[]) {
  return {
    flops: Math.min(...placement.map(({ flops }) => flops)),
    bandwidth: Math.min(...placement.map(({ bandwidth }) => bandwidth)),
  };
}

/** What kernels and transfers of a run here may be expected to reach, for projections where nothing was measured. */
export function expectedPeaks(placement: readonly Capability[]): Required<Peaks> {
  const { flops, bandwidth } = slowestPeaks(placement);
  const together = Math.max(...[...adaptersOf(placement).values()].map((ranks) => ranks.length));
  return {
    flops: (reached * flops) / together,
    bandwidth: bandwidth / together,
    linkBandwidth: transferRate,
  };
}

/** Of the same: a message takes about as long as an instruction. */
export const expectedOverheads: Overheads = {
  latencyMs: perInstructionMs,
  launchMs: perInstructionMs,
};

/** Ranks by what they share: software adapters compute on the same cores. */
function adaptersOf(placement: readonly Capability[]): Map<string, number[]> {
  const shared = new Map<string, number[]>();
  for (const [rank, { id, software }] of placement.entries()) {
    const key = software ? "host" : id;
    const own = shared.get(key) ?? [];
    shared.set(key, own);
    own.push(rank);
  }
  return shared;
}

/** Of the peak, by what the plan stores and the adapters compute in. */
function sharePlanned({ workload }: Plan, placement: readonly Capability[]): number {
  const unpacks = workload.dtype === "f16" && placement.some(({ halves }) => !halves);
  return unpacks ? reachedUnpacking : reached;
}

/** Ranks on one adapter add up; of several adapters the busiest decides. */
function stepOf(
  estimate: PlanEstimate,
  placement: readonly Capability[],
  cores: number,
  share: number,
): number {
  const { bound, ranks } = estimate;
  const kernelMs = new Map(bound?.ranks.map((each) => [each.rank, each.kernelMs]));
  const busy = [...adaptersOf(placement).values()].map((own) =>
    own.reduce((sum, rank) => {
      const moved = (ranks[rank]?.sentBytes ?? 0) + (ranks[rank]?.receivedBytes ?? 0);
      return sum + (kernelMs.get(rank) ?? 0) / share + (1000 * moved) / transferRate;
    }, 0),
  );
  return Math.max(...busy) + perInstructionMs * launchesInARow(estimate, placement, cores);
}

/** Instructions of a step, by as many ranks at the same time as there are cores for. */
function launchesInARow(
  { kernels, collectives }: PlanEstimate,
  placement: readonly Capability[],
  cores: number,
): number {
  const launches = [...kernels, ...collectives].reduce((sum, { calls }) => sum + calls, 0);
  return launches / Math.min(cores, placement.length);
}

/** Of serving, whole sequences of as many requests as the reference computes. */
function checkOfServing(plan: Plan, placement: readonly Capability[], cores: number) {
  const { requests = 1 } = plan.workload.serving ?? {};
  const of = (count: number): Plan => sequencePlan(plan, count);
  const { modelFlops } = estimatePlan(unshard(of(1)));
  const checked = of(Math.max(1, Math.min(requests, Math.floor(referenceFlops / modelFlops))));
  return checkOf(checked, estimatePlan(checked), placement, cores);
}

/** The whole result is held against the f64 reference where that is short, else against the unsharded run if that fits. */
function checkOf(
  plan: Plan,
  { modelFlops, parameters }: PlanEstimate,
  placement: readonly Capability[],
  cores: number,
): { readonly ms: number; readonly adapterBytes: number; readonly hostBytes: number } {
  const alone = unshard(plan);
  const whole = { ...alone, hardware: { ...alone.hardware, maxBinding: Infinity } };
  const largest = largestBuffers(whole).binding;
  // It makes the weights of a layer when it comes to it, in each micro-batch.
  const made = parameters.inProgram * plan.workload.microBatches;
  const oracle = {
    ms: 1000 * (modelFlops / oracleFlops + made / oracleValues),
    adapterBytes: 0,
    hostBytes: layerBuffers * oracleBytes * (largest / valueBytes(plan)),
  };
  const [first] = placement;
  if (modelFlops <= referenceFlops || first === undefined) return oracle;
  const bytes = memoryMargin * valueBytes(plan) * parameters.inProgram;
  if (largestBuffers(alone).binding > first.bindingBytes) return oracle;
  return {
    // The other run, which makes all weights; each product once more; and every weight in the host's hands.
    ms:
      1000 *
      ((2 * modelFlops) / (sharePlanned(plan, placement) * first.flops) +
        parameters.inProgram / madeValues +
        parameters.inProgram / projectedValues / Math.min(cores, placement.length)),
    adapterBytes: bytes,
    hostBytes: first.software ? bytes : 0,
  };
}
