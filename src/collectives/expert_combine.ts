import { bytesPerElement } from "../kernels/storage.ts";
import type { ExpertCombine } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { combinePieces, splitKey } from "./expert_splits.ts";

/** Rows go back from their experts to the places that they were dispatched from. */
export async function expertCombine(
  context: CollectiveContext,
  instruction: ExpertCombine,
): Promise<void> {
  const key = splitKey(instruction.dispatch, instruction.origin.microBatch);
  const splits = context.splits.get(key);
  if (splits === undefined) {
    throw new Error(
      `${instruction.name}: nothing was dispatched on channel ${instruction.dispatch} for micro-batch ${instruction.origin.microBatch}`,
    );
  }
  const rowBytes = instruction.rowElements * bytesPerElement(instruction.dtype);
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: instruction.receive,
    same: false,
    pieces: (i, j) => {
      const source = splits.sources.indexOf(instruction.to[j] ?? -1);
      const expert = splits.experts.indexOf(instruction.from[i] ?? -1);
      return combinePieces(splits, source, expert, rowBytes);
    },
  });
}
