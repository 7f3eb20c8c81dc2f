// Neighbouring kernels of a rank that one kernel does with one pass less over memory.

import type { KernelCall } from "../kernels/catalog.ts";
import type { Builder } from "./builder.ts";
import type { Origin } from "./program.ts";

/** A sum that has not been emitted: the next kernel of its rank may take it in. */
interface Held {
  readonly origin: Origin;
  readonly call: Extract<KernelCall, { kernel: "add" }>;
  /** Two summands and the sum. */
  readonly buffers: readonly string[];
}

export interface FusingBuilder extends Builder {
  /** Emits what is held back. */
  release(): void;
}

const fusedNorms = { rms_norm: "add_rms_norm", layer_norm: "add_layer_norm" } as const;

type Norm = Extract<KernelCall, { kernel: keyof typeof fusedNorms }>;

const isNorm = (call: KernelCall): call is Norm => call.kernel in fusedNorms;

/** Emits into `builder`; a residual and the norm of its sum become one kernel, which counts to the norm's layer. */
export const fuseNeighbours = (builder: Builder): FusingBuilder => {
  const held = new Map<number, Held>();

  const releaseRank = (rank: number): void => {
    const one = held.get(rank);
    if (one === undefined) return;
    held.delete(rank);
    builder.kernel(rank, one.origin, one.call, one.buffers);
  };

  return {
    ...builder,
    emit(rank, instruction) {
      releaseRank(rank);
      builder.emit(rank, instruction);
    },
    kernel(rank, origin, call, buffers) {
      const before = held.get(rank);
      if (before !== undefined && isNorm(call) && before.buffers[2] === buffers[0]) {
        held.delete(rank);
        const [a = "", b = "", sum = ""] = before.buffers;
        const weights = buffers.slice(1, -1);
        const fused = { kernel: fusedNorms[call.kernel], shape: call.shape };
        builder.kernel(rank, origin, fused, [a, b, ...weights, sum, ...buffers.slice(-1)]);
        return;
      }
      releaseRank(rank);
      if (call.kernel === "add") held.set(rank, { origin, call, buffers });
      else builder.kernel(rank, origin, call, buffers);
    },
    release() {
      for (const rank of held.keys()) releaseRank(rank);
    },
  };
};
