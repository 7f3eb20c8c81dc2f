// Every kind of layer, by its name in plans.

import type { Layer, LayerOf } from "../../plan/layers/layers.ts";
import { aggregate } from "./aggregate.ts";
import { attention } from "./attention.ts";
import { branch } from "./branch.ts";
import type { ReferenceLayer } from "./context.ts";
import { embedding } from "./embedding.ts";
import { gatedDelta } from "./gated_delta.ts";
import { linear } from "./linear.ts";
import { mlp } from "./mlp.ts";
import { moe } from "./moe.ts";
import { norm } from "./norm.ts";
import { residual } from "./residual.ts";

const layers: {
  readonly [Name in Layer["op"]]: ReferenceLayer<LayerOf<Name>>;
} = {
  embedding,
  linear,
  attention,
  "gated-delta": gatedDelta,
  mlp,
  moe,
  norm,
  residual,
  branch,
  aggregate,
};

export function referenceOf({ op }: Layer): ReferenceLayer<Layer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record's entry takes the layer whose `op` is its key
  return layers[op] as ReferenceLayer<Layer>;
}
