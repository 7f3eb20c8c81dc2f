// Every kind of layer, by its name in plans.

import { z } from "zod";
import { aggregate } from "./aggregate.ts";
import { attention } from "./attention.ts";
import { branch } from "./branch.ts";
import { embedding } from "./embedding.ts";
import { gatedDelta } from "./gated_delta.ts";
import type { PlanLayer } from "./layer.ts";
import { linear } from "./linear.ts";
import { mlp } from "./mlp.ts";
import { moe } from "./moe.ts";
import { norm } from "./norm.ts";
import { residual } from "./residual.ts";

const layers = {
  linear,
  embedding,
  attention,
  "gated-delta": gatedDelta,
  mlp,
  moe,
  norm,
  residual,
  branch,
  aggregate,
};

export const layerSchema = z.discriminatedUnion("op", [
  linear.schema,
  embedding.schema,
  attention.schema,
  gatedDelta.schema,
  mlp.schema,
  moe.schema,
  norm.schema,
  residual.schema,
  branch.schema,
  aggregate.schema,
]);

export type Layer = ReturnType<(typeof layers)[keyof typeof layers]["read"]>;
/** Of one kind, by its name in plans. */
export type LayerOf<Op extends Layer["op"]> = Extract<Layer, { op: Op }>;
export type LayerFile = z.infer<typeof layerSchema>;

export function planLayerOf({ op }: Pick<Layer, "op">): PlanLayer<Layer, LayerFile> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record's entry takes the layer whose `op` is its key
  return layers[op] as PlanLayer<Layer, LayerFile>;
}

/** Of layers that read what came before an earlier one of their stage: its index. */
export function readsAgain(layer: Layer): number | undefined {
  return layer.op === "residual" || layer.op === "branch" ? layer.from : undefined;
}
