// Our fused attention kernel reads heads in quads, and latent attention has neither norms of heads nor biases of its
// projections here.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import type { AttentionLayer } from "../../../plan/layers/attention.ts";
import { type GatedDeltaLayer, mostKeyDim } from "../../../plan/layers/gated_delta.ts";
import { fieldPath, nameOf, type PlacedLayer } from "../../../plan/layers.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";
import { layerNotRunnable, notRunnable } from "./layer_not_runnable.ts";

export const headDimensionInQuads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [layerNotRunnable],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op !== "attention" && layer.op !== "gated-delta") return [];
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
    if (layer.op === "gated-delta") return [...found, ...tooWide(plan, placed, layer)];
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

function widthsOf(layer: AttentionLayer | GatedDeltaLayer): Width[] {
  if (layer.op === "gated-delta") {
    const { keyDim, valueDim } = layer;
    return [
      { field: ["keyDim"], what: "a key dimension", width: keyDim },
      { field: ["valueDim"], what: "a value dimension", width: valueDim },
    ];
  }
  const { headDim, latent } = layer;
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

/** A column of a state lies in memory that a workgroup shares. */
function tooWide(plan: Plan, placed: PlacedLayer, { keyDim }: GatedDeltaLayer): Diagnostic[] {
  if (keyDim <= mostKeyDim) return [];
  const message = `no layer here can run a key dimension of ${keyDim}, as in ${nameOf(plan, placed)}`;
  return [notRunnable(fieldPath(plan, placed, "keyDim"), message, `use at most ${mostKeyDim}`)];
}

function extraOf({
  qkNorm,
  biases,
  outputGate,
}: AttentionLayer): { readonly field: string; readonly what: string } | undefined {
  if (qkNorm !== undefined) return { field: "qkNorm", what: "norms of queries and keys" };
  if (outputGate !== undefined) return { field: "outputGate", what: "a gate of its result" };
  return biases?.includes("qkv")
    ? { field: "biases", what: "biases of its projections" }
    : undefined;
}
