// What happened, or would happen, when a program runs: spans per rank on one time axis.

/**
 * - `compute`: a kernel of the model ran on the GPU
 * - `readback`, `move`, `reduce`, `upload`: parts of a collective
 * - `host`: encoding, submitting, waking, copying inputs
 * - `wait`: nothing to do until another rank has sent
 */
export type SpanKind = "compute" | "readback" | "move" | "reduce" | "upload" | "host" | "wait";

export interface Span {
  /** Index into the rank's instructions; absent for work between instructions. */
  readonly instruction?: number;
  readonly kind: SpanKind;
  /** ms on the trace's axis; the step's first rank starts at 0. Spans of one rank may overlap. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * What the host of a rank spent on giving the GPU its work in one step, hidden behind the GPU or not: CPU time of
 * its thread where the system tells (Linux), else wall time.
 */
export interface HostItems {
  /** That it ran. */
  readonly instructions: number;
  /** Recording kernels and copies. */
  readonly encodeMs: number;
  /** Finishing command buffers and handing them to the queue. */
  readonly submitMs: number;
  /** Asking for staging buffers to be mapped. */
  readonly mapMs: number;
  /** Wall time from the end of the last kernel until the host goes on, where it waited for nothing but the GPU. */
  readonly wakeMs: number;
}

export interface RankTrace {
  readonly rank: number;
  /** When this rank began and ended its part of the step. */
  readonly startMs: number;
  readonly endMs: number;
  readonly spans: readonly Span[];
  /** Absent in projections. */
  readonly host?: HostItems;
  /** CPU time of the rank's process meanwhile, the threads of a software GPU included. Absent in projections. */
  readonly cpuMs?: number;
  /** Tokens that each expert of this rank received, by `Origin.layer`, summed over micro-batches. */
  readonly expertTokens: Readonly<Record<string, readonly number[]>>;
  /** Choices dropped over capacity, by `Origin.layer`, counted on the source rank. */
  readonly droppedTokens: Readonly<Record<string, number>>;
}

/** One step of the whole program. */
export interface StepTrace {
  readonly step: number;
  readonly provenance: "measured" | "projected";
  /** From the first rank's start to the last rank's end. */
  readonly wallMs: number;
  readonly ranks: readonly RankTrace[];
}
