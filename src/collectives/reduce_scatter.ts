import { bytesPerElement } from "../kernels/storage.ts";
import type { ReduceScatter } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { joined, starts } from "./pieces.ts";

/** Member j of `to` receives its `counts[j]` elements of the sum over `from`. */
export async function reduceScatter(
  context: CollectiveContext,
  instruction: ReduceScatter,
): Promise<void> {
  const sizes = instruction.counts.map((count) => count * bytesPerElement(instruction.dtype));
  const offsets = starts(sizes);
  const isSum = instruction.from.length > 1;
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: isSum ? instruction.workspace : instruction.receive,
    same: false,
    pieces: (i, j) => {
      const bytes = sizes[j] ?? 0;
      return joined([{ sourceOffset: offsets[j] ?? 0, targetOffset: i * bytes, bytes }]);
    },
  });
  const own = sizes[instruction.to.indexOf(context.rank)] ?? 0;
  if (isSum && own > 0) context.reduce();
}
