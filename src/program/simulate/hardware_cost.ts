// What an instruction takes by figures of the hardware: kernels at the roofline, transfers by a link's latency
// and bandwidth. No run is as fast; it is what the plan's GPUs would do with perfect kernels.

import type { Peaks } from "../bound.ts";
import { collectiveOf, type Instruction } from "../program.ts";
import { instructionFlops, kernelBytesOf } from "../instruction_cost.ts";
import { createWireCount } from "../wire.ts";
import { noCost, type Cost } from "./cost.ts";

/** What takes time whatever the size, in ms. */
export interface Overheads {
  /** From a post to a waiting reader that sees it. */
  readonly latencyMs: number;
  /** Of a kernel, beside its arithmetic and its bytes. */
  readonly launchMs: number;
}

/**
 * Costs of instructions in the order of lowering. A rank takes in what arrives one after the other, at the
 * link's bandwidth; giving is free.
 */
export function createHardwareCost(
  peaks: Peaks,
  launchMs = 0,
): (rank: number, instruction: Instruction) => Cost {
  const wire = createWireCount();
  return (rank, instruction) => {
    const arithmetic = (1000 * instructionFlops(instruction)) / peaks.flops;
    const transfer = collectiveOf(instruction);
    if (transfer === undefined) {
      const memory = msOf(kernelBytesOf(instruction), peaks.bandwidth);
      return { ...noCost, compute: Math.max(arithmetic, memory) + launchOf(instruction, launchMs) };
    }
    const { received } = wire(transfer, rank);
    return { ...noCost, reduce: arithmetic, upload: msOf(received, peaks.linkBandwidth) };
  };
}

function launchOf({ op }: Instruction, launchMs: number): number {
  return op === "kernel" ? launchMs : 0;
}

function msOf(bytes: number, bytesPerSecond: number | undefined): number {
  return bytesPerSecond === undefined ? 0 : (1000 * bytes) / bytesPerSecond;
}
