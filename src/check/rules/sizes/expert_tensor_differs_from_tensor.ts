// Slices of an expert are on the tensor ranks of its tokens, which sum what the slices give.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const expertTensorDiffersFromTensor: DiagnosticDefinition = {
  code: "expert-tensor-differs-from-tensor",
  severity: "error",
  title: "Expert Tensor Differs From Tensor",
  requires: "Experts are sliced over the tensor ranks of their tokens, or not at all.",
  examples: {
    bad: degreesWith({ parallel: { tensor: 4, expertTensor: 2 }, hardware: { gpus: 4 } }),
    good: degreesWith({ parallel: { expertTensor: 1 } }),
  },
};

export const expertSlicesFollowTensor: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [expertTensorDiffersFromTensor],
  ofPlan: ({ degrees, model }) => {
    if (degrees?.expertTensor === undefined || model?.moe === undefined) return [];
    const { expertTensor, tensor } = degrees;
    return expertTensor === 1 || expertTensor === tensor
      ? []
      : [
          report(
            expertTensorDiffersFromTensor,
            ["parallel", "expertTensor"],
            `experts are sliced over ${expertTensor} GPUs, but tensor is ${tensor}`,
            tensor === 1 ? "set it to 1" : `set it to 1 or to ${tensor}`,
          ),
        ];
  },
};
