// What an instruction takes, from what instructions of other plans took alone on the same hardware.

import { groupBy } from "../../group_by.ts";
import { median } from "../../measure/statistics.ts";
import type { Peaks } from "../../program/bound.ts";
import { instructionFlops, kernelBytesOf } from "../../program/instruction_cost.ts";
import {
  type Collective,
  collectiveOf,
  type CopyInstruction,
  type Instruction,
  type KernelInstruction,
  type Program,
} from "../../program/program.ts";
import { byKind, type Cost, noCost, type RankCosts } from "../../program/simulate/cost.ts";
import type { Overheads } from "../../program/simulate/hardware_cost.ts";
import { timesByKind } from "./interpolation.ts";
import { createKernelTimes, type TimedKernel } from "./kernel_times.ts";
import type { Measured } from "../../program/simulate/simulate.ts";
import { createTransferTimes, type TimedTransfer } from "./transfer_times.ts";

/** A plan's step whose ranks were timed one by one. */
export interface TimedStep {
  readonly program: Program;
  /** Medians, by rank. */
  readonly costs: readonly RankCosts[];
  readonly latencyMs: number;
}

export function timedStep(program: Program, { repeats, latencyMs }: Measured): TimedStep {
  const costs = program.ranks.map(({ rank, instructions }): RankCosts => {
    const own = repeats.flatMap((ranks) => ranks[rank] ?? []);
    return {
      instructions: instructions.map((_, i) =>
        typical(own.flatMap((each) => each.instructions[i] ?? [])),
      ),
      rest: typical(own.map(({ rest }) => rest)),
    };
  });
  return { program, costs, latencyMs };
}

export interface TimedCosts {
  /** Of an instruction, told in the order of lowering. */
  readonly costOf: (rank: number, instruction: Instruction) => Cost;
  /** What no instruction of a rank is charged with: the end of its step. */
  readonly rest: Cost;
  /** ms until a rank that waits sees what another has posted. */
  readonly latencyMs: number;
}

/**
 * @param steps of one plan or more
 * @param peaks of the hardware, about: what is wrong with them cancels out among kernels that are alike
 */
export function createTimedCosts(
  steps: readonly TimedStep[],
  peaks: Peaks,
  { launchMs }: Pick<Overheads, "launchMs">,
): TimedCosts {
  const timed = sort(steps);
  const kernels = createKernelTimes(timed.kernels, (instruction) =>
    rooflineMs(instruction, peaks, launchMs),
  );
  const transfers = createTransferTimes(timed.transfers);
  const copies = createCopyTimes(timed.copies);
  const others = new Map(
    [...groupBy(timed.others, ({ op }) => op)].map(([op, same]) => [
      op,
      typical(same.map(({ cost }) => cost)),
    ]),
  );
  const transferOf = createTransferOf();
  return {
    costOf(rank, instruction) {
      if (instruction.op === "kernel") return kernels(instruction);
      if (instruction.op === "copy") return copies(instruction);
      const transfer = transferOf(rank, instruction);
      if (transfer !== undefined) return transfers(rank, instruction, transfer);
      return others.get(instruction.op) ?? noCost;
    },
    rest: typical(steps.flatMap(({ costs }) => costs.map(({ rest }) => rest))),
    latencyMs: median(steps.map((step) => step.latencyMs)),
  };
}

function rooflineMs(instruction: KernelInstruction, peaks: Peaks, launchMs: number): number {
  const arithmetic = instructionFlops(instruction) / peaks.flops;
  const memory = peaks.bandwidth === undefined ? 0 : kernelBytesOf(instruction) / peaks.bandwidth;
  return launchMs + 1000 * Math.max(arithmetic, memory);
}

interface Sorted {
  readonly kernels: TimedKernel[];
  readonly transfers: TimedTransfer[];
  readonly copies: { readonly instruction: CopyInstruction; readonly cost: Cost }[];
  readonly others: { readonly op: Instruction["op"]; readonly cost: Cost }[];
}

function sort(steps: readonly TimedStep[]): Sorted {
  const sorted: Sorted = { kernels: [], transfers: [], copies: [], others: [] };
  for (const { program, costs } of steps) {
    const transferOf = createTransferOf();
    for (const { rank, instructions } of program.ranks) {
      for (const [i, instruction] of instructions.entries()) {
        const cost = costs[rank]?.instructions[i] ?? noCost;
        const transfer = transferOf(rank, instruction);
        if (instruction.op === "kernel") sorted.kernels.push({ instruction, cost });
        else if (instruction.op === "copy") sorted.copies.push({ instruction, cost });
        else if (transfer !== undefined) {
          sorted.transfers.push({ rank, instruction, transfer, cost });
        } else sorted.others.push({ op: instruction.op, cost });
      }
    }
  }
  return sorted;
}

/** The transfer that an instruction does, begins or ends; told in the order of each rank's program. */
function createTransferOf(): (rank: number, instruction: Instruction) => Collective | undefined {
  const underWay = new Map<string, Collective>();
  return (rank, instruction) => {
    if (instruction.op === "done") return underWay.get(`${rank} ${instruction.channel}`);
    const transfer = collectiveOf(instruction);
    if (instruction.op === "start")
      underWay.set(`${rank} ${instruction.transfer.channel}`, instruction.transfer);
    return transfer;
  };
}

function createCopyTimes(copies: Sorted["copies"]): (copy: CopyInstruction) => Cost {
  const times = timesByKind(
    copies.map(({ instruction: { bytes }, cost }) => ({ sizeOf: () => bytes, cost })),
  );
  return ({ bytes }) => byKind((kind) => times[kind](bytes));
}

/** The median of each part; nothing of no costs. */
function typical(costs: readonly Cost[]): Cost {
  return byKind((kind) => (costs.length === 0 ? 0 : median(costs.map((cost) => cost[kind]))));
}
