// Some number of data replicas of tensor × pipeline × context ranks fills all GPUs.

import { usedGpus } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const meshDoesNotDivideGpus: DiagnosticDefinition = {
  code: "mesh-does-not-divide-gpus",
  severity: "warning",
  title: "Mesh Does Not Divide Gpus",
  requires:
    "tensor × pipeline × context divides the number of GPUs, unless experts are placed by name.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 3 } }),
    good: degreesWith({ hardware: { gpus: 4 }, parallel: { data: 2 } }),
  },
};

export const meshDividesGpus: RuleDefinition = {
  chapter: "splits",
  diagnostics: [meshDoesNotDivideGpus],
  ofPlan: (plan, written) => {
    const { degrees, hardware } = plan;
    // Experts may stand on GPUs that the mesh leaves over.
    if (degrees === undefined || written?.parallel?.expertGroup !== undefined) return [];
    const { tensor, pipeline, context = 1 } = degrees;
    const replica = tensor * pipeline * context;
    const rest = hardware.gpus % replica;
    if (rest === 0 || usedGpus(plan).length > hardware.gpus) return [];
    return [
      report(
        meshDoesNotDivideGpus,
        ["hardware", "gpus"],
        `${hardware.gpus} GPUs leave ${rest} over in replicas of ${replica}: tensor ${tensor} × pipeline ${pipeline}${context > 1 ? ` × context ${context}` : ""}`,
        `use ${hardware.gpus - rest} GPUs, or degrees whose product divides ${hardware.gpus}`,
      ),
    ];
  },
};
