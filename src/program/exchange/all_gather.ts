// All-gather and gather: every reader gets the pieces of all, one after the other.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { AllGather } from "../program.ts";
import type { SizedOperation } from "./operation.ts";
import { starts } from "./pieces.ts";
import { equalPieces, wireBytes } from "./traffic.ts";

export const allGather: SizedOperation<AllGather> = {
  exchange({ name, from, to, dtype, counts, inPlace }) {
    const sizes = counts.map((count) => count * bytesPerElement(dtype));
    const offsets = starts(sizes);
    return {
      name,
      from,
      to,
      same: true,
      pieces: (i) => {
        const [targetOffset = 0, bytes = 0] = [offsets[i], sizes[i]];
        const isThere = inPlace === true && to.includes(from[i] ?? -1);
        return [{ sourceOffset: isThere ? targetOffset : 0, targetOffset, bytes }];
      },
    };
  },
  wire({ dtype, counts }, member, { allBut }) {
    const { i, targets } = member;
    return wireBytes(dtype, member, equalPieces(targets, counts[i] ?? 0), allBut(counts, i));
  },
};
