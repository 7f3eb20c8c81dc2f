import { bytesPerElement } from "../kernels/storage.ts";
import type { AllToAll } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { joined, starts } from "./pieces.ts";

/** Member j receives the j-th piece of every member of `from`, in that order. */
export async function allToAll(context: CollectiveContext, instruction: AllToAll): Promise<void> {
  const elementBytes = bytesPerElement(instruction.dtype);
  const sizes = instruction.counts.map((row) => row.map((count) => count * elementBytes));
  const sourceOffsets = sizes.map(starts);
  const targetOffsets = instruction.to.map((_, j) => starts(sizes.map((row) => row[j] ?? 0)));
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: instruction.receive,
    same: false,
    pieces: (i, j) =>
      joined([
        {
          sourceOffset: sourceOffsets[i]?.[j] ?? 0,
          targetOffset: targetOffsets[j]?.[i] ?? 0,
          bytes: sizes[i]?.[j] ?? 0,
        },
      ]),
  });
}
