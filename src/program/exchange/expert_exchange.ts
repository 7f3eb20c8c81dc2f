// Dispatch of tokens to their experts, and the way back. Splits are known only when they run: here tokens are balanced
// over the experts, each of which takes its capacity at most.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { ExpertCombine, ExpertDispatch } from "../program.ts";
import type { Operation } from "./operation.ts";
import { equalPieces, type Lists, wireBytes } from "./traffic.ts";

export const expertDispatch: Operation<ExpertDispatch> = {
  wire(collective, member, lists) {
    const { dtype, from, expertsPerRank, rows, rowElements, capacity = Infinity } = collective;
    const { j, sources } = member;
    const perExpert = elementsPerExpert(collective, from.length, lists);
    const held = perExpert * (expertsPerRank[j] ?? 0);
    const sent = lists.allBut(expertsPerRank, j, perExpert);
    const balanced = wireBytes(dtype, member, sent, equalPieces(sources, held));
    if (j < 0) return balanced;
    // All tokens of the other sources to this rank; its experts take their capacity of them.
    const accepted = Math.min(rows, capacity * (expertsPerRank[j] ?? 0));
    const receivedAtWorst =
      bytesPerElement(dtype) * accepted * rowElements * (sources / from.length);
    return { ...balanced, receivedAtWorst };
  },
};

export const expertCombine: Operation<ExpertCombine> = {
  wire(collective, member, lists) {
    const { dtype, to, expertsPerRank } = collective;
    const { i, targets } = member;
    const perExpert = elementsPerExpert(collective, to.length, lists);
    const held = perExpert * (expertsPerRank[i] ?? 0);
    const received = lists.allBut(expertsPerRank, i, perExpert);
    return wireBytes(dtype, member, equalPieces(targets, held), received);
  },
};

/** Between one expert and one of `sharers` token ranks. */
function elementsPerExpert(
  collective: ExpertDispatch | ExpertCombine,
  sharers: number,
  { sum }: Lists,
): number {
  const { expertsPerRank, rowElements, rows, capacity = Infinity } = collective;
  const experts = Math.max(1, sum(expertsPerRank));
  return (Math.min(rows / experts, capacity) / sharers) * rowElements;
}
