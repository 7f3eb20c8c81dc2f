// Work in blocks that are communicated beside each other: one block computes while another is on its way.

import type { NewOp } from "../op.ts";
import { isTransfer } from "../transfer_op.ts";

/**
 * All blocks up to their first transfer, which starts there; then, block after block, the wait for it and what follows
 * up to the next.
 */
export function interleave(blocks: readonly (readonly NewOp[])[]): NewOp[] {
  const parts = blocks.map(partsOf);
  const length = Math.max(...parts.map((own) => own.length));
  const woven: NewOp[] = [];
  for (let at = 0; at < length; at++) {
    for (const own of parts) {
      const before = own[at - 1]?.at(-1);
      if (before !== undefined && isTransfer(before)) {
        const { origin, ranks, name, channelName } = before;
        woven.push({ op: "done", origin, ranks, name, channelName });
      }
      for (const op of own[at] ?? []) woven.push(op);
    }
  }
  return woven;
}

/** Runs of ops, each but the last ending with a transfer that is started. */
function partsOf(ops: readonly NewOp[]): (readonly NewOp[])[] {
  const parts: NewOp[][] = [[]];
  for (const op of ops) {
    if (isTransfer(op)) {
      parts.at(-1)?.push({ ...op, isStarted: true });
      parts.push([]);
    } else parts.at(-1)?.push(op);
  }
  return parts;
}
