// What an instruction takes of a rank against given peaks, and whom it meets.

import type { Peaks } from "./bound.ts";
import { instructionFlops, kernelBytesOf } from "./instruction_cost.ts";
import { collectiveOf, type Instruction } from "./program.ts";
import type { WireCount } from "./wire.ts";

export interface Work {
  readonly kernelMs: number;
  /** Of `kernelMs`, what memory makes longer than the arithmetic. */
  readonly memoryBoundMs?: number;
  readonly wireMs: number;
  readonly transfer?: {
    readonly channel: number;
    readonly sends: boolean;
    readonly receives: boolean;
    /** The rank goes on meanwhile, up to `awaits`. */
    readonly isStarted: boolean;
  };
  /** Channel of a transfer that was started before. */
  readonly awaits?: number;
  /** Members that give. */
  readonly givers?: number;
}

export function workOf(
  rank: number,
  instruction: Instruction,
  peaks: Peaks,
  wireBytes: WireCount,
): Work {
  if (instruction.op === "done") return { kernelMs: 0, wireMs: 0, awaits: instruction.channel };
  const arithmeticMs = (1000 * instructionFlops(instruction)) / peaks.flops;
  const collective = collectiveOf(instruction);
  if (collective === undefined) {
    const memoryMs = msOf(kernelBytesOf(instruction), peaks.bandwidth);
    return memoryMs > arithmeticMs
      ? { kernelMs: memoryMs, wireMs: 0, memoryBoundMs: memoryMs }
      : { kernelMs: arithmeticMs, wireMs: 0 };
  }
  const { channel, from, to } = collective;
  const { largestPiece, received } = wireBytes(collective, rank);
  return {
    kernelMs: arithmeticMs,
    // Whoever only gives may go on while its bytes leave.
    wireMs: msOf(Math.min(largestPiece, received), peaks.linkBandwidth),
    transfer: {
      channel,
      sends: from.includes(rank),
      receives: to.includes(rank),
      isStarted: instruction.op === "start",
    },
    givers: from.length,
  };
}

/** Channels of a repetition are told apart by multiples of it. */
const channelsOfAll = 2 ** 24;

/** Of a layer that stands for others, what another of them does. */
export function inRepetition(work: Work, time: number): Work {
  const { transfer, awaits } = work;
  if (transfer === undefined && awaits === undefined) return work;
  const offset = time * channelsOfAll;
  return {
    ...work,
    ...(transfer && { transfer: { ...transfer, channel: transfer.channel + offset } }),
    ...(awaits === undefined ? {} : { awaits: awaits + offset }),
  };
}

function msOf(bytes: number, bytesPerSecond: number | undefined): number {
  return bytesPerSecond === undefined ? 0 : (1000 * bytes) / bytesPerSecond;
}
