// Sequence parallelism: layers of which each member of a group has some of the tokens.

import type { Layer } from "../../plan/layers/layers.ts";

export const splitsTokens = (layer: Layer): boolean => "split" in layer && layer.split === "tokens";
