// All-to-all: every source has a piece of its own for every reader; pieces lie in member order on both sides.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { AllToAll } from "../program.ts";
import type { SizedOperation } from "./operation.ts";
import { starts } from "./pieces.ts";
import { wireBytes } from "./traffic.ts";

export const allToAll: SizedOperation<AllToAll> = {
  exchange({ name, from, to, dtype, counts }) {
    const sizes = counts.map((row) => row.map((count) => count * bytesPerElement(dtype)));
    const sourceOffsets = sizes.map(starts);
    const targetOffsets = to.map((_, j) => starts(sizes.map((row) => row[j] ?? 0)));
    return {
      name,
      from,
      to,
      same: false,
      pieces: (i, j) => [
        {
          sourceOffset: sourceOffsets[i]?.[j] ?? 0,
          targetOffset: targetOffsets[j]?.[i] ?? 0,
          bytes: sizes[i]?.[j] ?? 0,
        },
      ],
    };
  },
  wire({ dtype, counts }, member, { allBut }) {
    const { i, j } = member;
    const column = counts.map((row) => row[j] ?? 0);
    return wireBytes(dtype, member, allBut(counts[i] ?? [], j), allBut(column, i));
  },
};
