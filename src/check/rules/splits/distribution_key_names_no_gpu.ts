// Keys are `gpu_0`, or `gpu_0_gpu_1` for a group; one form in one plan.

import { distributionEntries, gpusOfKey } from "../../../plan/distribution.ts";
import type { Path } from "../../../plan/document.ts";
import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const distributionKeyNamesNoGpu: DiagnosticDefinition = {
  code: "distribution-key-names-no-gpu",
  severity: "error",
  title: "Distribution Key Names No GPU",
  requires: "Keys of a distribution are gpu_0, or gpu_0_gpu_1.",
  examples: {
    bad: degreesWith({ tensor_parallel_distribution: { first: ["mlp_up_0"] } }),
    good: degreesWith({
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
  },
  fix: leaveOut("the modules it lists are placed by the degrees"),
};

const distributionFormsMixed: DiagnosticDefinition = {
  code: "distribution-forms-mixed",
  severity: "error",
  title: "Distribution Forms Mixed",
  requires: "A distribution is by GPU or by group.",
  examples: {
    bad: degreesWith({
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: { mlp: ["up_1"] } },
    }),
    good: degreesWith({
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
  },
};

export const distributionKeysNameGpus: RuleDefinition = {
  chapter: "splits",
  diagnostics: [distributionKeyNamesNoGpu, distributionFormsMixed],
  ofPlan: (_plan, written) => {
    const distribution = written?.tensor_parallel_distribution;
    if (distribution === undefined) return [];
    const unknown = Object.keys(distribution)
      .filter((key) => gpusOfKey(key) === undefined)
      .map((key) =>
        report(
          distributionKeyNamesNoGpu,
          atKey(key),
          `${JSON.stringify(key)} names no GPUs`,
          "write gpu_0 for one GPU, gpu_0_gpu_1 for a group",
        ),
      );
    const entries = distributionEntries(distribution);
    const mixed = entries
      .filter(({ form }) => form !== entries[0]?.form)
      .map(({ key }) =>
        report(
          distributionFormsMixed,
          atKey(key),
          "some keys give lists of modules, others parts of a group",
          "use one form for all keys",
        ),
      );
    return [...unknown, ...mixed];
  },
};

function atKey(key: string): Path {
  return ["tensor_parallel_distribution", key];
}
