// TP = 2 over three listed GPUs is an error: a group has exactly as many members as its degree.

import { listedGpus } from "../../../plan/distribution.ts";
import { listed } from "../../../plan/layers.ts";
import { tensorDegreeFits } from "../../../plan/mesh.ts";
import type { Plan } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { tensorGroupFixes } from "../../repair/tensor_group.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

export const tensorGroupMatchesDegree: DiagnosticDefinition = {
  code: "tensor-group-matches-degree",
  severity: "info",
  title: "Tensor Parallel Group",
  requires: "Confirms that a tensor group has as many GPUs as its degree.",
  examples: {
    bad: degreesWith({ parallel: { tensorGroup: [0, 1] } }),
    good: degreesWith(),
  },
  section: "hardware",
};

const tensorDegreeDoesNotMatchGroup: DiagnosticDefinition = {
  code: "tensor-degree-does-not-match-group",
  severity: "error",
  title: "Tensor Parallelism Inconsistency",
  requires: "A tensor group has exactly as many GPUs as its degree.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 3 }, parallel: { tensorGroup: [0, 1, 2] } }),
    good: degreesWith({ parallel: { tensorGroup: [0, 1] } }),
  },
  section: "notes",
  fix: tensorGroupFixes,
};

export const tensorGroupHasItsDegree: RuleDefinition = {
  chapter: "splits",
  diagnostics: [tensorGroupMatchesDegree, tensorDegreeDoesNotMatchGroup],
  ofPlan: (plan, written) => {
    const tensor = plan.degrees?.tensor;
    if (written === undefined || tensor === undefined) return [];
    const { tensor_parallel_distribution: distribution, parallel } = written;
    const lists = [
      {
        path: ["parallel", "tensorGroup"],
        gpus: parallel?.tensorGroup,
      },
      {
        path: ["tensor_parallel_distribution"],
        gpus: distribution === undefined ? undefined : listedGpus(distribution),
      },
    ];
    return lists.flatMap(({ path, gpus }) => {
      if (gpus === undefined || gpus.length === 0) return [];
      return gpus.length === tensor
        ? [
            report(
              tensorGroupMatchesDegree,
              path,
              `tensor parallelism of ${tensor} has its ${tensor} GPUs: ${listed(gpus)}`,
            ),
          ]
        : [
            report(
              tensorDegreeDoesNotMatchGroup,
              path,
              `tensor parallelism of ${tensor} needs exactly ${tensor} GPUs, but ${gpus.length} are listed: ${listed(gpus)}`,
              alternatives(plan, tensor, gpus),
            ),
          ];
    });
  },
};

/** The ways out of a list that is longer or shorter than the degree. */
function alternatives({ model }: Plan, tensor: number, gpus: readonly number[]): string {
  const ways: string[] = [];
  if (gpus.length > tensor) {
    ways.push(`keep tensor ${tensor} and list GPUs ${listed(gpus.slice(0, tensor))}`);
  }
  if (gpus.length < tensor) ways.push(`list ${tensor - gpus.length} more GPUs`);
  const fits = model === undefined || tensorDegreeFits(model, gpus.length);
  ways.push(
    fits
      ? `set tensor to ${gpus.length}`
      : `tensor ${gpus.length} is no way out, it does not divide the model's sizes`,
  );
  return ways.join("; or ");
}
