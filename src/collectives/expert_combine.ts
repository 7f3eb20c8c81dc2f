import { bytesPerElement } from "../kernels/storage.ts";
import { laneOf } from "../program/exchange/lanes.ts";
import type { ExpertCombine } from "../program/program.ts";
import { runExchange } from "./exchange.ts";
import { combinePieces, splitKey } from "./expert_splits.ts";
import type { Parts } from "./parts.ts";

/** Rows go back from their experts to the places that they were dispatched from. */
export async function runExpertCombine(parts: Parts, instruction: ExpertCombine): Promise<void> {
  const key = splitKey(instruction.dispatch, instruction.origin.microBatch);
  const splits = parts.splits.get(key);
  if (splits === undefined) {
    throw new Error(
      `${instruction.name}: nothing was dispatched on channel ${instruction.dispatch} for micro-batch ${instruction.origin.microBatch}`,
    );
  }
  const rowBytes = instruction.rowElements * bytesPerElement(instruction.dtype);
  const { name, channel, dtype, from, to, send, receive, through } = instruction;
  await runExchange(parts, {
    exchange: {
      name,
      from,
      to,
      same: false,
      pieces: (i, j) => {
        const source = splits.sources.indexOf(to[j] ?? -1);
        const expert = splits.experts.indexOf(from[i] ?? -1);
        return combinePieces(splits, source, expert, rowBytes);
      },
    },
    lane: laneOf(channel, 0),
    dtype,
    send,
    receive,
    through,
  });
}
