// The transformer blocks of a plan, whichever way it is written: what a latency "per layer" is about.

import type { Layer } from "./layers/layers.ts";
import type { Plan } from "./plan.ts";

/**
 * Names of each block's layers, `<stage>/<index>.<op>`, in order of execution; empty where no layer is attention.
 *
 * A block begins with an attention and the norm before it, and ends before the next. Embedding and what follows the
 * last residual, the head, belong to none; nor do aggregations.
 */
export function blocksOf({ stages }: Pick<Plan, "stages">): string[][] {
  const layers = stages.flatMap((stage) =>
    stage.layers.map((layer) => ({ layer, name: `${stage.name}/${layer.name}` })),
  );
  const starts = layers.flatMap(({ layer }, at) => {
    if (layer.op !== "attention") return [];
    return [layers[at - 1]?.layer.op === "norm" ? at - 1 : at];
  });
  const end = endOfBlocks(layers.map(({ layer }) => layer));
  return starts.map((start, i) =>
    layers
      .slice(start, starts[i + 1] ?? Math.max(end, start + 1))
      .flatMap(({ layer, name }) => (layer.op === "aggregate" ? [] : [name])),
  );
}

/** One past the last residual, attention, MLP, experts, or linear layer back to the blocks' width: the rest is a head. */
function endOfBlocks(layers: readonly Layer[]): number {
  const residual = layers.findLastIndex(({ op }) => op === "residual");
  const inner = layers.findLastIndex(
    ({ op }) => op === "attention" || op === "mlp" || op === "moe",
  );
  // An MLP may be written as linear layers that end at the blocks' width.
  const width = layers.find((layer) => layer.op === "attention")?.hidden;
  const narrow = layers.findLastIndex((layer) => layer.op === "linear" && layer.out === width);
  return 1 + Math.max(residual, inner, inner < 0 ? -1 : narrow);
}
