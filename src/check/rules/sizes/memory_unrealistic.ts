// A GPU of less than 1 GiB exists nowhere, and holds no model.

import { bytesText } from "../../../plan/quantity.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const gibibyte = 2 ** 30;

const memoryUnrealistic: DiagnosticDefinition = {
  code: "memory-unrealistic",
  severity: "warning",
  title: "Memory Configuration",
  requires: "A GPU has at least 1 GiB.",
  examples: {
    bad: degreesWith({ hardware: { memoryPerGpu: "16MiB" } }),
    good: degreesWith({ hardware: { memoryPerGpu: "16GiB" } }),
  },
  section: "notes",
  impact: "memory",
};

export const memoryIsRealistic: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [memoryUnrealistic],
  ofPlan: ({ hardware: { memoryPerGpu } }) =>
    memoryPerGpu === undefined || memoryPerGpu >= gibibyte
      ? []
      : [
          report(
            memoryUnrealistic,
            ["hardware", "memoryPerGpu"],
            `${bytesText(memoryPerGpu)} per GPU severely limits the model and the batch`,
            "raise it to 8–32 GiB, depending on the GPU",
          ),
        ],
};
