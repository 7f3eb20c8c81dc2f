// A mesh of degrees has a GPU for each of its ranks.

import { usedGpus } from "../../../plan/layers.ts";
import { contextOf, worldOf } from "../../../plan/mesh.ts";
import { degreesWith } from "../../example.ts";
import { divisorAtMost } from "../../../plan/divisors.ts";
import { fixOfPlan, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

/** Where a mesh is larger than this times the GPUs, a degree is the likelier slip. */
const nearWorld = 64;

const moreGpusOrLowerDegree = fixOfPlan(({ degrees, hardware }, faulty) => {
  if (degrees === undefined) return [];
  const { tensor, pipeline, data, context = 1 } = degrees;
  const world = worldOf(degrees);
  const fewer = Math.floor(hardware.gpus / (tensor * pipeline * context));
  const more = setNumber(
    faulty,
    ["hardware", "gpus"],
    world,
    `${world - hardware.gpus} more GPUs are needed`,
  );
  const isNear = world <= nearWorld * hardware.gpus;
  return [
    ...(isNear ? [more] : []),
    ...(fewer >= 1 && fewer < data
      ? [setNumber(faulty, ["parallel", "data"], fewer, "fewer replicas, lower throughput")]
      : []),
    ...(["pipeline", "tensor"] as const).flatMap((key) => {
      const fits = divisorAtMost(degrees[key], Math.floor((hardware.gpus * degrees[key]) / world));
      return fits * (world / degrees[key]) <= hardware.gpus && fits < degrees[key]
        ? [setNumber(faulty, ["parallel", key], fits, "more memory and work per GPU")]
        : [];
    }),
    ...(isNear ? [] : [more]),
  ];
});

const notEnoughGpus: DiagnosticDefinition = {
  code: "not-enough-gpus",
  severity: "error",
  title: "Not Enough Gpus",
  requires: "tensor × pipeline × data ranks need as many GPUs.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 1 } }),
    good: degreesWith(),
  },
  fix: moreGpusOrLowerDegree,
};

const gpuCountFits: DiagnosticDefinition = {
  code: "gpu-count-fits",
  severity: "info",
  title: "GPU Count",
  requires: "Confirms that there are as many GPUs as the plan uses.",
  examples: {
    bad: degreesWith(),
    good: degreesWith({ hardware: { gpus: 1 } }),
  },
  section: "hardware",
};

export const enoughGpus: RuleDefinition = {
  chapter: "splits",
  diagnostics: [notEnoughGpus, gpuCountFits],
  ofPlan: (plan) => {
    const { gpus } = plan.hardware;
    const used = usedGpus(plan);
    const path = ["hardware", "gpus"];
    const { degrees } = plan;
    if (degrees !== undefined && (used.at(-1) ?? 0) >= gpus) {
      const { tensor, pipeline, data } = degrees;
      const context = contextOf(degrees);
      const world = worldOf(degrees);
      return world <= gpus
        ? []
        : [
            report(
              notEnoughGpus,
              path,
              `tensor ${tensor} × ${context === 1 ? "" : `context ${context} × `}pipeline ${pipeline} × data ${data} needs ${world} GPUs, there are ${gpus}`,
              "raise hardware.gpus, or lower a degree",
            ),
          ];
    }
    return used.length > gpus
      ? []
      : [report(gpuCountFits, path, `${used.length} of ${gpus} GPUs are used`)];
  },
};
