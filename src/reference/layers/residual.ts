// What an earlier layer of the stage read, added.

import type { ResidualLayer } from "../../plan/layers/residual.ts";
import { addTo, combineValues, scaled } from "../tensor.ts";
import type { ReferenceLayer } from "./context.ts";

export const residual: ReferenceLayer<ResidualLayer> = {
  apply: ({ inputs }, layer, x) => ({
    output: combineValues(x, inputs[layer.from] ?? x, (a, b) => (layer.scale ?? 1) * a + b),
  }),
  gradient({ inputGradients }, { from, scale }, _x, dy) {
    addTo(inputGradients[from]!.data, dy.data);
    return scaled(dy, scale);
  },
  round({ add }, layer, { value, error }, inputs) {
    const square = (layer.scale ?? 1) ** 2;
    const own = { value: square * value, error: square * error };
    return add(own, inputs[layer.from] ?? own);
  },
};
