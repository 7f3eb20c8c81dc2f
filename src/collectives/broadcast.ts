import { bytesPerElement } from "../kernels/storage.ts";
import type { Broadcast, PointToPoint } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { joined } from "./pieces.ts";

/** The elements of the one member of `from`, on every member of `to`; a send is one with one reader. */
export async function broadcast(
  context: CollectiveContext,
  instruction: Broadcast | PointToPoint,
): Promise<void> {
  const bytes = instruction.count * bytesPerElement(instruction.dtype);
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: instruction.receive,
    same: true,
    pieces: () => joined([{ sourceOffset: 0, targetOffset: 0, bytes }]),
  });
}
