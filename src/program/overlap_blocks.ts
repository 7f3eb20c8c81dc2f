// Work in blocks that are communicated beside each other: each block is lowered by itself under names of its
// own, then the blocks are woven together so that one computes while another is on its way.

import type { Builder } from "./builder.ts";
import { mapBuffers } from "./map_buffers.ts";
import { isCollective, type Instruction } from "./program.ts";

type Recorded = ReadonlyMap<number, readonly Instruction[]>;

export interface RecordedBlock {
  /** Takes what the block emits; declares its activations under names of the block. */
  readonly builder: Builder;
  readonly instructions: Recorded;
}

/** The buffer that all blocks write, each its own rows. */
export interface BlockResult {
  readonly id: string;
  readonly window: (rank: number) => string;
}

export const recordBlock = (
  builder: Builder,
  block: number,
  result: BlockResult,
): RecordedBlock => {
  const instructions = new Map<number, Instruction[]>();
  const own = new Map<number, Set<string>>();
  const nameFor = (rank: number, id: string): string => {
    if (id === result.id) return result.window(rank);
    return own.get(rank)?.has(id) === true ? blockName(id, block) : id;
  };
  const emit = (rank: number, instruction: Instruction): void => {
    const named = isCollective(instruction)
      ? { ...instruction, name: blockName(instruction.name, block) }
      : instruction;
    const before = instructions.get(rank) ?? [];
    instructions.set(rank, [...before, mapBuffers(named, (id) => nameFor(rank, id))]);
  };
  return {
    instructions,
    builder: {
      ...builder,
      declare(rank, declaration) {
        const { id, role } = declaration;
        if (role !== "activation" || id === result.id) {
          return role === "activation" ? id : builder.declare(rank, declaration);
        }
        own.set(rank, (own.get(rank) ?? new Set()).add(id));
        builder.declare(rank, { ...declaration, id: blockName(id, block) });
        return id;
      },
      emit,
      kernel: (rank, origin, call, buffers) =>
        emit(rank, { op: "kernel", origin, dtype: builder.dtype, buffers, ...call }),
      staging: (rank, bytes, slot = 0) => builder.staging(rank, bytes, slot + block),
      workspace: (rank, bytes, slot = 0) => builder.workspace(rank, bytes, slot + block),
      channel: (name) => builder.channel(blockName(name, block)),
    },
  };
};

const blockName = (name: string, block: number): string => `${name}/block${block}`;

/**
 * Emits the blocks' instructions on every rank: all blocks up to their first collective, which starts there;
 * then, block after block, the wait for it and what follows up to the next.
 */
export const interleave = (builder: Builder, blocks: readonly Recorded[]): void => {
  const ranks = new Set(blocks.flatMap((block) => [...block.keys()]));
  for (const rank of ranks) {
    const parts = blocks.map((block) => partsOf(block.get(rank) ?? []));
    const length = Math.max(...parts.map((own) => own.length));
    for (let at = 0; at < length; at++) {
      for (const [block, own] of parts.entries()) {
        const before = own[at - 1]?.at(-1);
        if (before !== undefined && isCollective(before)) {
          const { origin, name, channel } = before;
          builder.emit(rank, { op: "done", origin, name, channel });
        }
        for (const instruction of own[at] ?? []) {
          const { origin } = instruction;
          builder.emit(
            rank,
            isCollective(instruction)
              ? { op: "start", origin, transfer: instruction, block }
              : instruction,
          );
        }
      }
    }
  }
};

/** Runs of instructions, each but the last ending with a collective. */
const partsOf = (instructions: readonly Instruction[]): (readonly Instruction[])[] => {
  const parts: Instruction[][] = [[]];
  for (const instruction of instructions) {
    parts.at(-1)?.push(instruction);
    if (isCollective(instruction)) parts.push([]);
  }
  return parts;
};
