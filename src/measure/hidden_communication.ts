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
}

/** Undefined where no rank has a layer that leaves in blocks. */
export const hiddenCommunication = (
  plain: ProgramStep,
  overlapped: ProgramStep,
): HiddenCommunication | undefined => {
  const ranks = overlapped.program.ranks.flatMap(({ rank, instructions }) => {
    const blocks = blocksOf(instructions);
    const [before, after] = [plain, overlapped].map(({ program, trace }) =>
      rankTimes(program, trace, rank),
    );
    if (blocks.size === 0 || before === undefined || after === undefined) return [];
    let [communicationMs, hideableMs, exposedMs] = [0, 0, 0];
    for (const [layer, count] of blocks) {
      const alone = lengthOf(before.communication.get(layer) ?? []);
      const computed = lengthOf(before.computeOf(layer));
      const beside = after.communication.get(layer) ?? [];
      communicationMs += alone;
      hideableMs += (1 - 1 / count) * Math.min(alone, computed);
      exposedMs += lengthOf(beside) - lengthOf(intersect(beside, after.compute));
    }
    const [plainComputeMs, computeMs] = [before, after].map(({ compute }) => lengthOf(compute));
    return [{ communicationMs, hideableMs, exposedMs, plainComputeMs, computeMs }];
  });
  if (ranks.length === 0) return undefined;
  const over = (of: (rank: (typeof ranks)[number]) => number | undefined): number =>
    mean(ranks.map((rank) => of(rank) ?? 0));
  const communicationMs = over((rank) => rank.communicationMs);
  const exposedMs = over((rank) => rank.exposedMs);
  return {
    communicationMs,
    hideableMs: over((rank) => rank.hideableMs),
    exposedMs,
    hiddenMs: communicationMs - exposedMs,
    plainComputeMs: over((rank) => rank.plainComputeMs),
    computeMs: over((rank) => rank.computeMs),
  };
};

/** By layer, how many blocks it leaves in; only layers of which transfers are started. */
const blocksOf = (instructions: readonly Instruction[]): Map<string, number> => {
  const blocks = new Map<string, number>();
  for (const instruction of instructions) {
    if (instruction.op !== "start") continue;
    const { layer } = instruction.origin;
    blocks.set(layer, Math.max(blocks.get(layer) ?? 0, instruction.block + 1));
  }
  return blocks;
};
