// How much of the communication that could be hidden behind computation is hidden: a step with overlap held
// against a step of the same plan without it.
//
// Communication is what a profiler sees of a collective, waiting for other ranks included. Without overlap all
// of it is exposed; of a layer that leaves in b blocks, the last has nothing left to hide behind, and nothing
// can hide behind more computing than the other blocks have.
//
//   hideable = (b − 1) / b · min(communication, compute)      without overlap, summed over layers
//   exposed  = communication while the rank computes nothing  with overlap
//   hidden   = communication without overlap − exposed
//
// Where a rank has one core for its GPU, its host and its transfers alike, what they do takes that core's time
// beside each other as well as one after the other. There only time that the core idles can be hidden:
//
//   idle     = a rank's time − CPU time of its process, of the rank that idles least: the others wait for it
//   hideable = (b − 1) / b · min(idle, compute), and no more than is hideable above
//   hidden   = idle without overlap − idle with it
//
// Blocks are more work than the whole, and fill idle time as well: the step is shorter by what is hidden less that.
// Time in which the system ran other programs on the core counts as idle.

import type { Instruction, Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import { intersect, lengthOf } from "./intervals.ts";
import { rankTimes } from "./layer_communication.ts";
import { mean } from "./statistics.ts";

export interface ProgramStep {
  readonly program: Program;
  readonly trace: StepTrace;
}

/** ms of one step, mean over the ranks that take part; of layers that leave in blocks. */
export interface HiddenCommunication {
  /** Without overlap. */
  readonly communicationMs: number;
  readonly hideableMs: number;
  /** With overlap. */
  readonly exposedMs: number;
  readonly hiddenMs: number;
  /** Of all layers, without overlap and with it: communication beside it may slow it down. */
  readonly plainComputeMs: number;
  readonly computeMs: number;
  /** For ranks with one core for everything; absent where CPU time is not known. */
  readonly core?: HiddenIdleTime;
}

/** ms of one step. */
export interface HiddenIdleTime {
  /** Without overlap. */
  readonly idleMs: number;
  readonly hideableMs: number;
  readonly hiddenMs: number;
  /** CPU time with overlap − without it, of the busiest rank. */
  readonly moreWorkMs: number;
}

/** Undefined where no rank has a layer that leaves in blocks. */
export function hiddenCommunication(
  plain: ProgramStep,
  overlapped: ProgramStep,
): HiddenCommunication | undefined {
  const ranks = overlapped.program.ranks.flatMap(({ rank, instructions }) => {
    const blocks = blocksOf(instructions);
    const [before, after] = [plain, overlapped].map(({ program, trace }) =>
      rankTimes(program, trace, rank),
    );
    if (blocks.size === 0 || before === undefined || after === undefined) return [];
    let [communicationMs, hideableMs, exposedMs, blockShare] = [0, 0, 0, 0];
    for (const [layer, count] of blocks) {
      const alone = lengthOf(before.communication.get(layer) ?? []);
      const computed = lengthOf(before.computeOf(layer));
      const beside = after.communication.get(layer) ?? [];
      communicationMs += alone;
      hideableMs += (1 - 1 / count) * Math.min(alone, computed);
      exposedMs += lengthOf(beside) - lengthOf(intersect(beside, after.compute));
      blockShare = Math.max(blockShare, 1 - 1 / count);
    }
    const [plainComputeMs, computeMs] = [before, after].map(({ compute }) => lengthOf(compute));
    return [{ communicationMs, hideableMs, exposedMs, plainComputeMs, computeMs, blockShare }];
  });
  if (ranks.length === 0) return undefined;
  const over = (of: (rank: (typeof ranks)[number]) => number | undefined): number =>
    mean(ranks.map((rank) => of(rank) ?? 0));
  const communicationMs = over((rank) => rank.communicationMs);
  const exposedMs = over((rank) => rank.exposedMs);
  const hideableMs = over((rank) => rank.hideableMs);
  const [idleMs, overlappedIdleMs] = [plain, overlapped].map(({ trace }) => leastIdleMs(trace));
  return {
    communicationMs,
    hideableMs,
    exposedMs,
    hiddenMs: communicationMs - exposedMs,
    plainComputeMs: over((rank) => rank.plainComputeMs),
    computeMs: over((rank) => rank.computeMs),
    ...(idleMs === undefined || overlappedIdleMs === undefined
      ? {}
      : {
          core: {
            idleMs,
            hideableMs: Math.min(hideableMs, over((rank) => rank.blockShare) * idleMs),
            hiddenMs: idleMs - overlappedIdleMs,
            moreWorkMs: mostWorkMs(overlapped.trace) - mostWorkMs(plain.trace),
          },
        }),
  };
}

function mostWorkMs({ ranks }: StepTrace): number {
  return Math.max(...ranks.map(({ cpuMs = 0 }) => cpuMs));
}

/** ms that the busiest rank's core had nothing to do, if each has one for all its threads. */
function leastIdleMs({ ranks }: StepTrace): number | undefined {
  const idle = ranks.flatMap(({ startMs, endMs, cpuMs }) =>
    cpuMs === undefined ? [] : [Math.max(0, endMs - startMs - cpuMs)],
  );
  return idle.length < ranks.length ? undefined : Math.min(...idle);
}

/** By layer, how many blocks it leaves in; only layers of which transfers are started. */
function blocksOf(instructions: readonly Instruction[]): Map<string, number> {
  const blocks = new Map<string, number>();
  for (const instruction of instructions) {
    if (instruction.op !== "start") continue;
    const { layer } = instruction.origin;
    blocks.set(layer, Math.max(blocks.get(layer) ?? 0, instruction.block + 1));
  }
  return blocks;
}
