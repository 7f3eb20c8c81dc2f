// What transfers take by what others of their kind took: each part by what it is in proportion to.

import { groupBy } from "../../group_by.ts";
import { hopsOf } from "../../program/exchange/hops.ts";
import { instructionFlops } from "../../program/instruction_cost.ts";
import type { Collective, Instruction } from "../../program/program.ts";
import { createWireCount } from "../../program/wire.ts";
import { type Cost, byKind } from "../../program/simulate/cost.ts";
import { timesByKind } from "./interpolation.ts";

export interface TimedTransfer {
  readonly rank: number;
  readonly instruction: Instruction;
  readonly transfer: Collective;
  readonly cost: Cost;
}

type Sizes = Readonly<Record<keyof Cost, number>>;

/** A kind that was not timed takes what transfers of all kinds took. */
export function createTransferTimes(
  timed: readonly TimedTransfer[],
): (rank: number, instruction: Instruction, transfer: Collective) => Cost {
  const sizesOf = createSizes();
  const measured = timed.map(({ rank, instruction, transfer, cost }) => {
    const sizes = sizesOf(rank, instruction, transfer);
    const sizeOf = (kind: keyof Cost): number => sizes[kind];
    return { name: nameOf(instruction, transfer), sizeOf, cost };
  });
  const all = timesByKind(measured);
  const timesOf = new Map(
    [...groupBy(measured, ({ name }) => name)].map(([name, own]) => [name, timesByKind(own)]),
  );
  return (rank, instruction, transfer) => {
    const times = timesOf.get(nameOf(instruction, transfer)) ?? all;
    const sizes = sizesOf(rank, instruction, transfer);
    return byKind((kind) => times[kind](sizes[kind]));
  };
}

/** What it does, and whether it begins or ends that. */
function nameOf({ op }: Instruction, transfer: Collective): string {
  return `${op} ${transfer.op}`;
}

/** What each part of a transfer is in proportion to: bytes that leave, bytes that arrive, sums, hops. */
function createSizes(): (rank: number, instruction: Instruction, transfer: Collective) => Sizes {
  const wire = createWireCount();
  return (rank, instruction, transfer) => {
    const { sent, received } = wire(transfer, rank);
    const additions = instructionFlops(instruction);
    return {
      host: hopsOf(transfer, rank).length,
      readback: sent,
      move: sent,
      upload: received,
      reduce: additions,
      compute: additions,
    };
  };
}
