// Communication beside computation: a product that is about to leave is computed in blocks of rows, and each
// block is on its way while the next is computed.

import { windowName, windowRows } from "./builder.ts";
import type { Move } from "./move.ts";
import type { Collective } from "./program.ts";
import { splitEvenly, startsOf, union, type Share } from "./value.ts";

/** More would hide a little more of the transfer and cost each its own round trips. */
const mostBlocks = 4;

/** One block of rows of a share on its way. */
export interface Block {
  readonly rows: number;
  /** Staging and workspace of its own, since blocks are under way at the same time. */
  readonly slot: number;
  /** The move under the block's own name. */
  readonly move: Move;
  /** The block as a share: what a rank sends of it. */
  readonly share: Share;
  /** The block's rows of a buffer with as many rows as the share. */
  of(rank: number, buffer: string, columns: number): string;
}

/** What one rank does with a block. */
export interface BlockTransfer {
  readonly transfer: Collective;
  /** Emits what follows the transfer. */
  readonly afterwards?: () => void;
}

/**
 * Emits the transfer of a share on every rank that takes part: whole, or in blocks where its computation
 * was put off.
 *
 * @param columns of the share on one rank
 */
export const inBlocks = (
  move: Move,
  share: Share,
  columns: number,
  transferOf: (rank: number, block: Block) => BlockTransfer,
): void => {
  const { builder, origin } = move;
  const blocks = blocksOf(move, share, columns);
  for (const rank of union(share.group, move.to)) {
    const transfers = blocks.map((block) => {
      share.compute?.(rank, block.first, block.rows);
      const { transfer, afterwards } = transferOf(rank, block);
      builder.emit(
        rank,
        blocks.length === 1 ? transfer : { op: "start", origin, transfer, block: block.slot },
      );
      return { transfer, afterwards };
    });
    for (const { transfer, afterwards } of transfers) {
      const { name, channel } = transfer;
      if (blocks.length > 1) builder.emit(rank, { op: "done", origin, name, channel });
      afterwards?.();
    }
  }
};

const blocksOf = (
  move: Move,
  share: Share,
  columns: number,
): (Block & { readonly first: number })[] => {
  const { compute, ...computed } = share;
  const units = Math.floor(share.rows / windowRows);
  if (compute === undefined || units < 2) {
    const of = (_rank: number, buffer: string): string => buffer;
    return [{ first: 0, rows: share.rows, slot: 0, move, share: computed, of }];
  }
  const sizes = splitEvenly(units * windowRows, Math.min(mostBlocks, units), windowRows);
  // The rows that fill no unit of their own go with the last block.
  sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + (share.rows % windowRows);
  const starts = startsOf(sizes);
  return sizes.map((rows, slot) => {
    const first = starts[slot] ?? 0;
    const of = (rank: number, buffer: string, width: number): string =>
      move.builder.window(rank, buffer, width, first, rows);
    for (const rank of share.group) of(rank, share.buffer, columns);
    return {
      first,
      rows,
      slot,
      move: { ...move, name: `${move.name}/rows${first}` },
      share: { ...computed, buffer: windowName(share.buffer, first, rows) },
      of,
    };
  });
};
