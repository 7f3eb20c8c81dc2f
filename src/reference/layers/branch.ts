// What came before an earlier layer of the stage.

import type { BranchLayer } from "../../plan/layers/branch.ts";
import { addTo } from "../tensor.ts";
import type { ReferenceLayer } from "./context.ts";

export const branch: ReferenceLayer<BranchLayer> = {
  apply: ({ inputs }, layer, x) => ({ output: inputs[layer.from] ?? x }),
  gradient({ inputGradients }, { from }, _x, dy) {
    addTo(inputGradients[from]!.data, dy.data);
    return undefined;
  },
  round: (_steps, layer, x, inputs) => inputs[layer.from] ?? x,
};
