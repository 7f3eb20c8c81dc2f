// A GPU that nothing runs on is paid for in vain.

import { listed, usedGpus } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const gpuUnused: DiagnosticDefinition = {
  code: "gpu-unused",
  severity: "warning",
  title: "GPU Unused",
  requires: "Something runs on every GPU.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 4 } }),
    good: degreesWith(),
  },
};

export const everyGpuIsUsed: RuleDefinition = {
  chapter: "splits",
  diagnostics: [gpuUnused],
  ofPlan: (plan) => {
    const used = new Set(usedGpus(plan));
    const idle = [...Array(plan.hardware.gpus).keys()].filter((gpu) => !used.has(gpu));
    if (idle.length === 0) return [];
    const shown = idle.length > 8 ? `${listed(idle.slice(0, 8))}, …` : listed(idle);
    return [
      report(
        gpuUnused,
        ["hardware", "gpus"],
        `no layer runs on ${idle.length} of ${plan.hardware.gpus} GPUs: ${shown}`,
        "raise a degree, move a layer there, or lower hardware.gpus",
      ),
    ];
  },
};
