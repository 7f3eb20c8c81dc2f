// Broadcast and point-to-point: all of what the one source has, to every reader.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { AllReduce, Broadcast, PointToPoint } from "../program.ts";
import type { Exchange } from "./chunks.ts";
import type { SizedOperation } from "./operation.ts";
import { equalPieces, wireBytes } from "./traffic.ts";

export const broadcast: SizedOperation<Broadcast | PointToPoint> = {
  exchange: wholeToAll,
  wire({ dtype, count }, member) {
    const { sources, targets } = member;
    return wireBytes(dtype, member, equalPieces(targets, count), equalPieces(sources, count));
  },
};

export function wholeToAll(collective: Broadcast | PointToPoint | AllReduce): Exchange {
  const { name, from, to, dtype, count } = collective;
  const whole = { sourceOffset: 0, targetOffset: 0, bytes: count * bytesPerElement(dtype) };
  return { name, from, to, same: true, pieces: () => [whole] };
}
