// Sizes of the model, or of the attention layer that a diagnostic points at.

import type { Path } from "../../plan/document.ts";
import type { Faulty } from "./fix.ts";

/** Sizes of the model or of the attention layer at a path. */
export function sizesAt({ written }: Faulty, at: Path) {
  const layer =
    at[0] === "model" ? written?.model : written?.stages?.[Number(at[1])]?.layers[Number(at[3])];
  if (layer === undefined || !("heads" in layer)) return {};
  return { hidden: layer.hidden, heads: layer.heads, kvHeads: layer.kvHeads };
}
