// The least time a step can take on given peaks: every instruction at its roofline, in the order of its
// rank, and no result used before it is there. A bound, not a forecast: launches, copies on the host,
// memory that kernels read twice and giving to others are free here.

export interface Peaks {
  /** FLOP/s of one GPU. */
  readonly flops: number;
  /** Bytes per second of one GPU's memory. Absent: memory is free. */
  readonly bandwidth?: number;
  /** Bytes per second between two GPUs. Absent: the wire is free. */
  readonly linkBandwidth?: number;
}

export interface RankBound {
  readonly rank: number;
  /** Before its first work of a step: the fill of the pipeline. */
  readonly waitMs: number;
  /** Of a step. */
  readonly kernelMs: number;
  readonly wireMs: number;
}

export interface LayerBound {
  readonly layer: string;
  /** Of one micro-batch, on the rank that takes longest. */
  readonly ms: number;
}

export interface Bound {
  readonly peaks: Peaks;
  /** One micro-batch through the whole plan. */
  readonly microBatchMs: number;
  readonly stepMs: number;
  readonly samplesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Of the time of all kernels, that of kernels whose bytes take longer than their arithmetic. */
  readonly memoryBoundShare: number;
  readonly layers: readonly LayerBound[];
  readonly ranks: readonly RankBound[];
}

export interface StepSize {
  readonly batch: number;
  readonly tokens: number;
  readonly microBatches: number;
}
