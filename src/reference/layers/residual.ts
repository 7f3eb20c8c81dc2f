// What an earlier layer of the stage read, added.

import type { ResidualLayer } from "../../plan/layers/residual.ts";
import { combineValues } from "../tensor.ts";
import type { ReferenceLayer } from "./context.ts";

export const residual: ReferenceLayer<ResidualLayer> = {
  apply: ({ inputs }, layer, x) => ({
    output: combineValues(x, inputs[layer.from] ?? x, (a, b) => a + b),
  }),
  round: ({ add }, layer, x, inputs) => add(x, inputs[layer.from] ?? x),
};
