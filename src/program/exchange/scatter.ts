// Scatter and reduce-scatter: reader j gets piece j of every source, one after the other; to add them is the run's part.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { ReduceScatter, Scatter } from "../program.ts";
import type { SizedOperation } from "./operation.ts";
import { type Piece, starts } from "./pieces.ts";
import { equalPieces, wireBytes } from "./traffic.ts";

export const scatter: SizedOperation<Scatter | ReduceScatter> = {
  exchange(collective) {
    const { name, from, to } = collective;
    const pieces = scatteredPieces(collective);
    return { name, from, to, same: false, pieces: (_, j) => pieces.slice(j, j + 1) };
  },
  wire({ dtype, counts }, member, { allBut }) {
    const { j, sources } = member;
    return wireBytes(dtype, member, allBut(counts, j), equalPieces(sources, counts[j] ?? 0));
  },
};

/** By reader. */
export function scatteredPieces(collective: Scatter | ReduceScatter): Piece[] {
  const { from, to, dtype, counts, inPlace } = collective;
  const sizes = counts.map((count) => count * bytesPerElement(dtype));
  const offsets = starts(sizes);
  return to.map((reader, j) => {
    const [sourceOffset = 0, bytes = 0] = [offsets[j], sizes[j]];
    const isThere = inPlace === true && from.includes(reader);
    return { sourceOffset, targetOffset: isThere ? sourceOffset : 0, bytes };
  });
}
