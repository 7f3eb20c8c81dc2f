// A GPU that the plan names is one whose figures are known.

import { valueAt } from "../../../plan/document.ts";
import { gpuNamed } from "../../../plan/gpu_names.ts";
import { degreesWith } from "../../example.ts";
import { drop, type Fix, put } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const gpuPath = ["hardware", "gpu"];

/** Each GPU that the name can mean; else the plan's own figures decide. */
const gpuName: Fix = (faulty, { path }) => {
  const named = gpuNamed(String(valueAt(faulty.value, path)));
  const names = "candidates" in named ? named.candidates : "meant" in named ? named.meant : [];
  return [
    ...names.map((name) => ({
      patch: [put(faulty, path, name)],
      description: `${path.join(".")} is now ${name}`,
      consequence: "its datasheet gives the figures that the plan does not",
    })),
    {
      patch: [drop(path)],
      description: `${path.join(".")} is left out`,
      consequence: "figures that the plan does not give are unknown",
    },
  ];
};

const gpuAmbiguous: DiagnosticDefinition = {
  code: "gpu-ambiguous",
  severity: "error",
  title: "GPU Ambiguous",
  requires: "The name of a GPU fits one alone.",
  examples: {
    bad: degreesWith({ hardware: { gpu: "A100-80GB" } }),
    good: degreesWith({ hardware: { gpu: "A100-SXM-80GB" } }),
  },
  fix: gpuName,
};

const gpuUnknown: DiagnosticDefinition = {
  code: "gpu-unknown",
  severity: "error",
  title: "GPU Unknown",
  requires: "A GPU is named as docs/gpus.md does, in any spelling.",
  examples: {
    bad: degreesWith({ hardware: { gpu: "H10O-SXM" } }),
    good: degreesWith({ hardware: { gpu: "nvidia h100 sxm5" } }),
  },
  fix: gpuName,
};

export const gpuIsKnown: RuleDefinition = {
  chapter: "structure",
  diagnostics: [gpuAmbiguous, gpuUnknown],
  ofPlan: ({ hardware }) => {
    if (hardware.gpu === undefined) return [];
    const named = gpuNamed(hardware.gpu);
    if ("gpu" in named) return [];
    const written = JSON.stringify(hardware.gpu);
    if ("candidates" in named) {
      const candidates = named.candidates.join(", ");
      return [
        report(
          gpuAmbiguous,
          gpuPath,
          `${written} can be any of ${candidates}, whose figures differ`,
          "write one of these names",
        ),
      ];
    }
    return [report(gpuUnknown, gpuPath, `no GPU is known as ${written}`, hintFor(named.meant))];
  },
};

function hintFor(meant: readonly string[]): string {
  if (meant.length === 1) return `did you mean "${meant[0]}"?`;
  return meant.length > 1
    ? `did you mean one of ${meant.join(", ")}?`
    : "docs/gpus.md lists the names; of another GPU give memoryPerGpu, peakFlops, memoryBandwidth and linkBandwidth";
}
