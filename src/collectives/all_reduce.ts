import { bytesPerElement } from "../kernels/storage.ts";
import type { AllReduce } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { joined } from "./pieces.ts";

/** `receive` = sum over `from`, in that order, so that all members of `to` get the same bits. */
export async function allReduce(context: CollectiveContext, instruction: AllReduce): Promise<void> {
  const bytes = instruction.count * bytesPerElement(instruction.dtype);
  const isSum = instruction.from.length > 1;
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: isSum ? instruction.workspace : instruction.receive,
    same: true,
    pieces: (i) => joined([{ sourceOffset: 0, targetOffset: i * bytes, bytes }]),
  });
  if (isSum && instruction.to.includes(context.rank) && bytes > 0) context.reduce();
}
