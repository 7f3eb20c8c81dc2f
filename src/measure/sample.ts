// One timed step, boiled down to what the metrics need and the result file keeps.

import type { HostItems } from "../program/trace.ts";
import type { BubbleSample } from "./bubble.ts";

/** A time in ms, as samples hold it: in whole nanoseconds, which is as fine as clocks are. */
export function wholeNanoseconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}

/** ms of the step's wall time; every moment belongs to one part only, so the parts sum to the wall. */
export interface Breakdown {
  readonly computeMs: number;
  readonly reduceMs: number;
  readonly uploadMs: number;
  readonly readbackMs: number;
  readonly moveMs: number;
  readonly idleMs: number;
  readonly hostMs: number;
  /** Covered by no span. */
  readonly unattributedMs: number;
}

export interface RankSample extends Breakdown {
  readonly rank: number;
  /** Absent in projections. */
  readonly hostItems?: HostItems;
  /** A kernel ran, of the model or of a reduction. */
  readonly busyMs: number;
  /** All communication, whether or not the rank computed meanwhile. */
  readonly communicatingMs: number;
  /** The part of `communicatingMs` during which the rank computed. */
  readonly overlappedMs: number;
}

export interface LayerSample {
  readonly layer: string;
  /** First start to last end over all ranks, per micro-batch in order. */
  readonly latencyMs: readonly number[];
}

/** Time that the rank which takes longest spends on a layer's collectives in one step. */
export interface CommunicationSample {
  readonly layer: string;
  /** While it computes. */
  readonly hiddenMs: number;
  /** While it does not. */
  readonly exposedMs: number;
}

export interface StepSample {
  /** Which opening of the ranks it was taken in, from 0. */
  readonly run: number;
  readonly step: number;
  readonly provenance: "measured" | "projected";
  readonly wallMs: number;
  readonly ranks: readonly RankSample[];
  readonly layers: readonly LayerSample[];
  /** Of layers that communicate. */
  readonly communication: readonly CommunicationSample[];
  readonly experts: readonly ExpertSample[];
  /**
   * ms on the GPU per group of equal kernels, in the order of `KernelGroups.groups`; absent where they were not
   * timed one by one.
   */
  readonly kernelMs?: readonly number[];
  /** Of a pipeline whose kernels were timed one by one. */
  readonly bubble?: BubbleSample;
}

/** Tokens of one mixture-of-experts layer over one step. */
export interface ExpertSample {
  readonly layer: string;
  /** Ranks in the order in which they hold the experts. */
  readonly ranks: readonly { readonly rank: number; readonly tokens: readonly number[] }[];
  /** Choices over capacity, over all ranks. */
  readonly dropped: number;
}
