// The figures of a run, computed from its samples. What was not measured is absent.

import type { CurveFigures } from "./decode_curve.ts";
import type { BubbleMetrics } from "./bubble_metrics.ts";
import type { Figure } from "./figure.ts";
import type { OverBound } from "./over_bound.ts";
import type { ServingMetrics } from "./serving.ts";
import type { KernelMetrics } from "./roofline.ts";

export type { KernelMetrics, RooflineBound } from "./roofline.ts";

export interface Metrics {
  /** Wall time of one step. */
  readonly stepMs?: Figure;
  readonly samplesPerSecond?: Figure;
  readonly tokensPerSecond?: Figure;
  /**
   * Of one layer of the model, for one micro-batch; `conditions` say what counts as a layer. Absent unless
   * every layer was timed in every micro-batch.
   */
  readonly layerMs?: Figure;
  /** Those that were timed in every micro-batch. */
  readonly layers: readonly LayerMetrics[];
  /** Of layers that communicate, per step. */
  readonly communication: readonly CommunicationMetrics[];
  readonly ranks: readonly RankMetrics[];
  readonly host: readonly HostMetrics[];
  /** Mean of `ranks[].busy`. */
  readonly busy?: Figure;
  /**
   * Model FLOPs, less those of choices that experts dropped, ÷ wall ÷ calibrated f32 peak of all adapters
   * used; software adapters count as one. The interval includes the spread of that peak.
   */
  readonly mfu?: Figure;
  /** As `mfu`, with FLOPs of the forward pass that the backward pass computes again. */
  readonly hfu?: Figure;
  /** FLOP/s of all GPUs together, of the FLOPs that `mfu` counts and of those that `hfu` counts. */
  readonly modelFlopsRate?: Figure;
  readonly hardwareFlopsRate?: Figure;
  /** Bytes that the kernels must move ÷ wall ÷ the fastest of calibrated reading, writing and copying. */
  readonly bandwidth?: Figure;
  /** Kernels of equal work on one adapter; none where they were not timed one by one. */
  readonly kernels: readonly KernelMetrics[];
  /** Those of the above that lie over what they are held against: the measurement contradicts itself then. */
  readonly overBound: readonly OverBound[];
  /** Of a pipeline: how much of its ranks' time was idle, and why. */
  readonly bubble?: BubbleMetrics;
  readonly percentiles: Percentiles;
  /** Steps that lie further from the median than 14.826 MAD; they are kept in every figure. */
  readonly outliers: number;
  readonly experts: readonly ExpertMetrics[];
  /** Of a plan that serves; all else is of its decode steps then. */
  readonly serving?: ServingMetrics;
  /** Where contexts were asked for. */
  readonly decodeCurve?: readonly CurveFigures[];
}

/** Wall times in ms, each present only where there are samples enough. */
export interface Percentiles {
  readonly p50?: number;
  readonly p90?: number;
  readonly p99?: number;
}

export interface LayerMetrics {
  /** As in `Program.layers`. */
  readonly layer: string;
  readonly latencyMs: Figure;
}

/**
 * Time that a layer's collectives take in one step on the rank on which they take longest, waiting for other
 * ranks included.
 */
export interface CommunicationMetrics {
  /** As in `Program.layers`. */
  readonly layer: string;
  /** While that rank computes. */
  readonly hiddenMs: Figure;
  /** While it does not. */
  readonly exposedMs: Figure;
}

/** Shares of the step's wall time; compute + communication + host + idle + unattributed = 1. */
export interface RankMetrics {
  readonly rank: number;
  readonly compute: Figure;
  readonly communication: Figure;
  readonly readback: Figure;
  readonly move: Figure;
  readonly reduce: Figure;
  readonly upload: Figure;
  readonly host: Figure;
  readonly idle: Figure;
  readonly unattributed: Figure;
  /** A kernel runs, of the model or of a reduction. */
  readonly busy: Figure;
  /** Communication during which this rank also computes; absent without communication. */
  readonly overlap?: Figure;
}

/** Time of the host per instruction, hidden behind the GPU or not; see `HostItems`. */
export interface HostMetrics {
  readonly rank: number;
  /** In one step. */
  readonly instructions: number;
  readonly encodeMs: Figure;
  readonly submitMs: Figure;
  readonly mapMs: Figure;
  readonly wakeMs: Figure;
  /** The four together. */
  readonly sumMs: Figure;
}

/** Of one mixture-of-experts layer over one step. */
export interface ExpertMetrics {
  readonly layer: string;
  readonly tokensPerExpert: readonly number[];
  readonly ranks: readonly {
    readonly rank: number;
    readonly experts: number;
    readonly tokens: number;
  }[];
  /** Busiest rank ÷ what a balanced one would get. Absent when no token arrived. */
  readonly overload?: Figure;
  readonly deadExperts: Figure;
  /** Choices over capacity ÷ all choices. Absent when there was no choice. */
  readonly dropRate?: Figure;
  readonly tokenVariance: Figure;
}
