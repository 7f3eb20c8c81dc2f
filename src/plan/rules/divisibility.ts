// Rules on sizes that a tensor group must split evenly, and on sizes that our kernels need.

import type { Diagnostic } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import { fieldPath, groupSize, nameOf, type PlacedLayer, placedLayers } from "../layers.ts";
import type { Plan } from "../plan.ts";
import { error, type Rule } from "./rule.ts";
import { notRunnable } from "./runnable.ts";

const perLayer =
  (judge: (plan: Plan, placed: PlacedLayer) => Diagnostic[]): Rule =>
  (plan) =>
    placedLayers(plan).flatMap((placed) => judge(plan, placed));

const divides = (
  plan: Plan,
  placed: PlacedLayer,
  code: string,
  field: string,
  size: number,
): Diagnostic[] => {
  const parts = groupSize(placed.layer);
  const rest = size % parts;
  return rest === 0
    ? []
    : [
        error(
          code,
          fieldPath(plan, placed, field),
          `${field} ${size} of ${nameOf(plan, placed)} leaves ${rest} over when split across ${parts} GPUs`,
          `make ${field} a multiple of ${parts}, or choose a tensor group that divides it`,
        ),
      ];
};

/**
 * Column parallelism splits the output, row parallelism the input, evenly. The rows of an embedding are
 * token ids, which need not be shared evenly.
 */
export const groupDividesLinear = perLayer((plan, placed) => {
  const { layer } = placed;
  if (layer.op === "linear" && layer.split === "column") {
    return divides(plan, placed, "group-does-not-divide-output", "out", layer.out);
  }
  if (layer.op === "linear" && layer.split === "row") {
    return divides(plan, placed, "group-does-not-divide-input", "in", layer.in);
  }
  if (layer.op === "embedding" && layer.split === "column") {
    return divides(plan, placed, "group-does-not-divide-hidden", "hidden", layer.hidden);
  }
  return [];
});

/** Every GPU of the group has whole heads, the same number. */
export const groupDividesHeads = perLayer((plan, placed) =>
  placed.layer.op === "attention"
    ? divides(plan, placed, "group-does-not-divide-heads", "heads", placed.layer.heads)
    : [],
);

/** Key and value heads are split too, or each is shared by a whole number of GPUs. */
export const groupFitsKvHeads = perLayer((plan, placed) => {
  const { layer } = placed;
  const parts = groupSize(layer);
  // As many of them as heads is one fault, which is said of the heads.
  if (layer.op !== "attention" || layer.kvHeads === layer.heads) return [];
  if (layer.kvHeads % parts === 0 || parts % layer.kvHeads === 0) return [];
  return [
    error(
      "group-does-not-fit-kv-heads",
      fieldPath(plan, placed, "kvHeads"),
      `kvHeads ${layer.kvHeads} of ${nameOf(plan, placed)} is neither a multiple nor a divisor of its ${parts} GPUs`,
      `choose kvHeads that ${parts} divides or that divides ${parts}`,
    ),
  ];
});

/** Every key and value head serves the same number of query heads. */
export const kvHeadsDivideHeads = perLayer((plan, placed) => {
  const { layer } = placed;
  if (layer.op !== "attention" || layer.heads % layer.kvHeads === 0) return [];
  return [
    error(
      "kv-heads-do-not-divide-heads",
      fieldPath(plan, placed, "kvHeads"),
      `heads ${layer.heads} of ${nameOf(plan, placed)} is no multiple of kvHeads ${layer.kvHeads}`,
      "choose kvHeads that divides heads",
    ),
  ];
});

const headsLeaveRest = (path: Path, hidden: number, heads: number): Diagnostic =>
  error(
    "heads-do-not-divide-hidden",
    path,
    `hidden ${hidden} leaves ${hidden % heads} over when divided into ${heads} heads`,
    "choose heads that divides hidden, or give headDim",
  );

/** Without a head dimension of its own, a head is hidden ÷ heads wide. */
export const headsDivideHidden: Rule = (_plan, written) => {
  const model = written?.model;
  if (model !== undefined) {
    const { hidden, heads, headDim } = model;
    return headDim !== undefined || hidden % heads === 0
      ? []
      : [headsLeaveRest(["model", "heads"], hidden, heads)];
  }
  return (written?.stages ?? []).flatMap(({ layers }, s) =>
    layers.flatMap((layer, l) => {
      if (layer.op !== "attention" || layer.headDim !== undefined) return [];
      const { hidden, heads } = layer;
      return hidden % heads === 0
        ? []
        : [headsLeaveRest(["stages", s, "layers", l, "heads"], hidden, heads)];
    }),
  );
};

/** Our fused attention kernel reads heads in quads. */
export const headDimensionInQuads = perLayer((plan, placed) => {
  const { layer } = placed;
  if (layer.op !== "attention" || layer.headDim % 4 === 0) return [];
  return [
    notRunnable(
      fieldPath(plan, placed, "headDim"),
      `no layer here can run a head dimension of ${layer.headDim}, no multiple of 4, as in ${nameOf(plan, placed)}`,
      `use ${Math.ceil(layer.headDim / 4) * 4}`,
    ),
  ];
});

/** An MLP's inner dimension is split by column, then by row. */
export const groupDividesFfn = perLayer((plan, placed) =>
  placed.layer.op === "mlp"
    ? divides(plan, placed, "group-does-not-divide-ffn", "ffn", placed.layer.ffn)
    : [],
);
