import { bytesPerElement } from "../kernels/storage.ts";
import type { AllGather } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { joined, starts } from "./pieces.ts";

/** `receive` = the pieces of `from`, one after the other. */
export async function allGather(context: CollectiveContext, instruction: AllGather): Promise<void> {
  const sizes = instruction.counts.map((count) => count * bytesPerElement(instruction.dtype));
  const offsets = starts(sizes);
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: instruction.receive,
    same: true,
    pieces: (i) =>
      joined([{ sourceOffset: 0, targetOffset: offsets[i] ?? 0, bytes: sizes[i] ?? 0 }]),
  });
}
