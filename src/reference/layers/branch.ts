// What came before an earlier layer of the stage.

import type { BranchLayer } from "../../plan/layers/branch.ts";
import type { ReferenceLayer } from "./context.ts";

export const branch: ReferenceLayer<BranchLayer> = {
  apply: ({ inputs }, layer, x) => ({ output: inputs[layer.from] ?? x }),
  round: (_steps, layer, x, inputs) => inputs[layer.from] ?? x,
};
