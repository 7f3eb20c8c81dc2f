// What a collective needs from the rank that runs it. Each has one of its own while it is under way.

import type { PreparedKernel } from "../gpu/logical_gpu.ts";
import type { BufferRegion } from "./buffer_region.ts";
import type { Communicator } from "./transport/communicator.ts";
import type { ExpertSplits } from "./expert_splits.ts";
import type { CollectiveKernels } from "./kernels.ts";
import type { StagingPool } from "./staging.ts";
import type { Uploads } from "./uploads.ts";

/**
 * What the host is busy with. `readback` begins when the GPU has been given its work and ends when the
 * bytes can be seen; the rank takes off it what the GPU spent on kernels in the meantime.
 */
export type HostActivity = "host" | "readback" | "move" | "upload" | "wait";

export interface CollectiveContext {
  readonly rank: number;
  readonly queue: GPUQueue;
  /** Kernels run on the host's cores. */
  readonly isSoftware: boolean;
  /** The rank goes on meanwhile: what is not given to the GPU at once comes after the rank's next kernels. */
  readonly isBeside: boolean;
  readonly communicator: Communicator;
  readonly staging: StagingPool;
  readonly uploads: Uploads;
  /** Present where the collective adds or moves within words. */
  readonly kernels: CollectiveKernels | undefined;
  /** Where a declared buffer lies. */
  readonly region: (id: string) => BufferRegion;
  /** Encoder of the batch that collects commands until `submit`. */
  readonly encoder: () => GPUCommandEncoder;
  /** Encodes a reduction, in a pass of its own. */
  readonly reduce: (prepared: PreparedKernel) => void;
  /** Maps a staging buffer, and counts what asking for it takes the host. */
  readonly timedMap: (map: () => Promise<undefined>) => Promise<undefined>;
  /**
   * Hands the batch to the GPU; whatever is written to buffers afterwards comes after it. Returns what
   * `check` wants to know.
   */
  readonly submit: () => number;
  /** All that follows, until the next call, is charged to this activity of the collective. */
  readonly enter: (activity: HostActivity) => void;
  /** Throws what the GPU has complained of. To be called after awaiting it, with what `submit` returned. */
  readonly check: (submission: number) => void;
  /** Splits of the dispatches that were not combined yet, by `splitKey`. */
  readonly splits: Map<string, ExpertSplits>;
  readonly record: {
    /** Tokens that each expert of this rank received. */
    readonly experts: (layer: string, tokens: readonly number[]) => void;
    /** Choices of this rank's tokens that were dropped over capacity. */
    readonly dropped: (layer: string, choices: number) => void;
  };
}
