// What a collective needs from the rank that runs it.

import type { Communicator } from "./communicator.ts";
import type { ExpertSplits } from "./expert_splits.ts";

/**
 * What the host is busy with. `readback` begins when the GPU has been given its work and ends when the
 * bytes can be seen; the rank takes off it what the GPU spent on kernels in the meantime.
 */
export type HostActivity = "host" | "readback" | "move" | "upload" | "wait";

/** All of a GPU buffer, or a window of one. In bytes. */
export interface BufferRegion {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

export interface CollectiveContext {
  readonly rank: number;
  readonly queue: GPUQueue;
  readonly communicator: Communicator;
  /** Where a declared buffer lies; staging buffers are whole ones. */
  readonly region: (id: string) => BufferRegion;
  /** Encoder of the batch that collects commands until `submit`. */
  readonly encoder: () => GPUCommandEncoder;
  /** Hands the batch to the GPU; whatever is written to buffers afterwards comes after it. */
  readonly submit: () => void;
  /** All that follows, until the next call, is charged to this activity. */
  readonly enter: (activity: HostActivity) => void;
  /** Throws what the GPU has complained of. To be called after awaiting it. */
  readonly check: () => void;
  /** Encodes the sum over `workspace` that the current instruction ends with. */
  readonly reduce: () => void;
  /** Splits of the dispatches that were not combined yet, by `splitKey`. */
  readonly splits: Map<string, ExpertSplits>;
  readonly record: {
    /** Tokens that each expert of this rank received. */
    readonly experts: (layer: string, tokens: readonly number[]) => void;
    /** Choices of this rank's tokens that were dropped over capacity. */
    readonly dropped: (layer: string, choices: number) => void;
  };
}
