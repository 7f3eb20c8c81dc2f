// Bandwidths of a collective as nccl-tests defines them (its doc/PERFORMANCE.md): what the caller sees, and
// what the hardware must carry for it, which does not depend on the number of ranks.

import type { BenchedCollective } from "../program/collective_program.ts";

/** Bytes per second of the message. */
export function algorithmBandwidth(messageBytes: number, ms: number): number {
  return (messageBytes * 1000) / ms;
}

/** busbw ÷ algbw; undefined for one rank, where nothing moves. */
export function busFactor(op: BenchedCollective, ranks: number): number | undefined {
  if (ranks < 2) return undefined;
  switch (op) {
    case "all-reduce":
      return (2 * (ranks - 1)) / ranks;
    case "all-gather":
    case "reduce-scatter":
    case "all-to-all":
    case "gather":
    case "scatter":
      return (ranks - 1) / ranks;
    case "broadcast":
    case "reduce":
    case "send":
      return 1;
  }
}
