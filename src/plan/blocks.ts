// The transformer blocks of a plan, whichever way it is written: what a latency "per layer" is about.

import { type Layer, planLayerOf } from "./layers/layers.ts";
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
    if (planLayerOf(layer).mixes !== "tokens") return [];
    return [layers[at - 1]?.layer.op === "norm" ? at - 1 : at];
  });
  const end = endOfBlocks(layers.map(({ layer }) => layer));
  return starts.map((start, i) =>
    layers
      .slice(start, starts[i + 1] ?? Math.max(end, start + 1))
      .flatMap(({ layer, name }) => (planLayerOf(layer).aggregates === undefined ? [name] : [])),
  );
}

/** One past the last residual, attention, MLP, experts, or linear layer back to the blocks' width: the rest is a head. */
function endOfBlocks(layers: readonly Layer[]): number {
  const residual = layers.findLastIndex(({ op }) => op === "residual");
  const inner = layers.findLastIndex((layer) => planLayerOf(layer).mixes !== undefined);
  // An MLP may be written as linear layers that end at the blocks' width.
  const mixer = layers.find((layer) => planLayerOf(layer).mixes === "tokens");
  const width = mixer && planLayerOf(mixer).outputWidth(mixer);
  const narrow = layers.findLastIndex((layer) => layer.op === "linear" && layer.out === width);
  return 1 + Math.max(residual, inner, inner < 0 ? -1 : narrow);
}
