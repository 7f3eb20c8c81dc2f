// Sequence parallelism: layers of which each member of a group has some of the tokens.

import type { Redistribute } from "../redistribute.ts";
import type { Layer } from "../../plan/layers/layers.ts";

export function splitsTokens(layer: Layer): boolean {
  return "split" in layer && layer.split === "tokens";
}

/** Where and how a layer takes what it reads. */
export function wantedBy(layer: Layer): Pick<Redistribute, "groups" | "placement"> {
  return {
    groups: layer.groups,
    placement: splitsTokens(layer) ? "rows" : "replicate",
  };
}
