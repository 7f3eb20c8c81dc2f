// All-reduce and reduce as an operation: what it exchanges follows from its algorithm.

import type { AllReduce } from "../../program.ts";
import { wholeToAll } from "../broadcast.ts";
import type { SizedOperation } from "../operation.ts";
import type { ReduceStep } from "../reduce_step.ts";
import type { WireBytes } from "../traffic.ts";
import { algorithmOf } from "./algorithms.ts";
import { broadcastSteps } from "./broadcast_phase.ts";

export const allReduce: SizedOperation<AllReduce> = {
  exchange: wholeToAll,
  wire(reduction, member) {
    const algorithm = algorithmOf(reduction);
    return (
      algorithm.wire?.(reduction, member) ??
      exchangedIn([
        ...algorithm.steps(reduction, member.rank),
        ...broadcastSteps(reduction, member.rank),
      ])
    );
  },
};

export function exchangedIn(steps: readonly ReduceStep[]): WireBytes {
  let [sent, received, largestPiece] = [0, 0, 0];
  for (const { slice, recv, send } of steps) {
    sent += send.length * slice.bytes;
    received += recv.length * slice.bytes;
    if (send.length + recv.length > 0) largestPiece = Math.max(largestPiece, slice.bytes);
  }
  return { sent, received, largestPiece };
}
