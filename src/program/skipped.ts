// A residual right after a product is added where the product is stored: one launch and two passes over memory
// less. This finds such pairs in a stage; what follows a reduction, which only then is the sum, is none.

import type { Layer, Stage } from "../plan/plan.ts";
import { sameRanks, type Value } from "./value.ts";

/**
 * What layer `index` adds in the place of the residual after it; undefined where it adds nothing.
 *
 * @param inputs of the stage's layers, up to that of layer `index`
 * @param read indices of the layers whose inputs the stage's residuals add
 */
export const skippedBy = (
  { layers }: Stage,
  index: number,
  inputs: readonly Value[],
  read: ReadonlySet<number>,
): Value | undefined => {
  const [layer, next] = [layers[index], layers[index + 1]];
  if (layer === undefined || next?.op !== "residual" || !endsInWholeProduct(layer))
    return undefined;
  // The product by itself is what another residual skips from.
  if (read.has(index + 1)) return undefined;
  const skipped = inputs[next.from];
  const inPlace = (value: Value): boolean =>
    value.shares.length === layer.groups.length &&
    value.shares.every(
      ({ layout, group }, i) =>
        layout === "replicated" &&
        sameRanks(group, layer.groups[i] ?? []) &&
        sameRanks(group, next.groups[i] ?? []),
    );
  return skipped !== undefined && inPlace(skipped) ? skipped : undefined;
};

/** Indices of the layers whose inputs the stage's residuals add. */
export const readByResiduals = ({ layers }: Stage): ReadonlySet<number> =>
  new Set(layers.flatMap((layer) => (layer.op === "residual" ? [layer.from] : [])));

/** Its last kernel is a product, of which every rank of a group has the whole. */
const endsInWholeProduct = (layer: Layer): boolean => {
  const alone = layer.groups.every((group) => group.length === 1);
  switch (layer.op) {
    case "linear":
      return alone || layer.split === "replicated";
    case "attention":
      return alone && layer.latent === undefined;
    case "mlp":
      return alone;
    default:
      return false;
  }
};
