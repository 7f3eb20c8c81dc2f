// Our fused attention kernel reads heads in quads, and latent attention has neither norms of heads nor biases of its
// projections here.

import type { AttentionLayer } from "../../../plan/layers/attention.ts";
import { fieldPath, nameOf } from "../../../plan/layers.ts";
import type { RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";
import { layerNotRunnable, notRunnable } from "./layer_not_runnable.ts";

export const headDimensionInQuads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [layerNotRunnable],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op !== "attention") return [];
    const name = nameOf(plan, placed);
    const found = widthsOf(layer)
      .filter(({ width }) => width % 4 !== 0)
      .map(({ field, what, width }) =>
        notRunnable(
          [...fieldPath(plan, placed, field[0]), ...field.slice(1)],
          `no layer here can run ${what} of ${width}, no multiple of 4, as in ${name}`,
          `use ${Math.ceil(width / 4) * 4}`,
        ),
      );
    const extra = layer.latent === undefined ? undefined : extraOf(layer);
    if (extra === undefined) return found;
    const { field, what } = extra;
    const path = fieldPath(plan, placed, field);
    const message = `no layer here can run latent attention with ${what}, as in ${name}`;
    return [...found, notRunnable(path, message, `leave out ${field}`)];
  }),
};

interface Width {
  readonly field: readonly [string, ...string[]];
  readonly what: string;
  readonly width: number;
}

function widthsOf({ headDim, latent }: AttentionLayer): Width[] {
  const ofHead: Width = { field: ["headDim"], what: "a head dimension", width: headDim };
  if (latent === undefined) return [ofHead];
  const { keyValueRank, rotaryDim, valueDim } = latent;
  return [
    ofHead,
    { field: ["latent", "rotaryDim"], what: "a rotary dimension", width: rotaryDim },
    { field: ["latent", "valueDim"], what: "a value dimension", width: valueDim },
    { field: ["latent", "keyValueRank"], what: "a rank", width: keyValueRank },
  ];
}

function extraOf({
  qkNorm,
  biases,
}: AttentionLayer): { readonly field: string; readonly what: string } | undefined {
  if (qkNorm !== undefined) return { field: "qkNorm", what: "norms of queries and keys" };
  return biases?.includes("qkv")
    ? { field: "biases", what: "biases of its projections" }
    : undefined;
}
