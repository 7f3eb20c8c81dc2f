// A plan that lists its tensor group twice lists the same GPUs.

import { listedGpus } from "../../../plan/distribution.ts";
import { listed } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { tensorGroupFixes } from "../../repair/tensor_group.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const tensorGroupContradictsDistribution: DiagnosticDefinition = {
  code: "tensor-group-contradicts-distribution",
  severity: "error",
  title: "Tensor Group Contradicts Distribution",
  requires: "Two lists of the tensor group name the same GPUs.",
  examples: {
    bad: degreesWith({
      hardware: { gpus: 3 },
      parallel: { tensorGroup: [1, 2] },
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
    good: degreesWith({
      parallel: { tensorGroup: [0, 1] },
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
  },
  fix: tensorGroupFixes,
};

export const tensorGroupIsSaidOnce: RuleDefinition = {
  chapter: "splits",
  diagnostics: [tensorGroupContradictsDistribution],
  ofPlan: (_plan, written) => {
    const group = written?.parallel?.tensorGroup;
    const distribution = written?.tensor_parallel_distribution;
    if (group === undefined || distribution === undefined) return [];
    const gpus = listedGpus(distribution);
    return gpus.length === group.length && gpus.every((gpu, i) => gpu === group[i])
      ? []
      : [
          report(
            tensorGroupContradictsDistribution,
            ["parallel", "tensorGroup"],
            `tensorGroup names GPUs ${listed(group)}, tensor_parallel_distribution ${listed(gpus)}`,
            "name the same GPUs, or leave one of the two out",
          ),
        ];
  },
};
