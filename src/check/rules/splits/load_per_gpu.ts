// How evenly the work is spread over the GPUs.

import { formatShare } from "../../../measure/format.ts";
import type { Diagnostic } from "../../../plan/diagnostic.ts";
import {
  type GpuLoad,
  loadPerGpu,
  loadRule,
  outdoneByFlops,
} from "../../../program/load_per_gpu.ts";
import { degreesWith, linearOn, meanLayer, oneStage } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

/** Most GPUs a message names; a plan of thousands is told by its extremes. */
const mostNamed = 16;

export const loadOfGpus: DiagnosticDefinition = {
  code: "load-per-gpu",
  severity: "info",
  title: "Load Per GPU",
  requires: "Tells how heavily each GPU is loaded.",
  examples: {
    bad: degreesWith(),
    good: degreesWith({ hardware: { gpus: 1 }, parallel: { tensor: 1, expert: 1 } }),
  },
};

const gpuUnderused: DiagnosticDefinition = {
  code: "gpu-underused",
  severity: "warning",
  title: "Load Balance",
  requires: "No GPU that works has less than half of the average arithmetic.",
  examples: {
    bad: oneStage([linearOn("replicated", [0, 1]), meanLayer]),
    good: degreesWith(),
  },
  section: "notes",
  impact: "load balance",
};

export const workIsShared: RuleDefinition = {
  chapter: "splits",
  diagnostics: [loadOfGpus, gpuUnderused],
  ofProgram: (plan, estimate) => {
    const loads = loadPerGpu(plan, estimate);
    return [...loadIsNamed(loads), ...gpusShareTheWork(loads)];
  },
};

/** Light, medium or heavy, GPU by GPU. */
function loadIsNamed(loads: readonly GpuLoad[]): Diagnostic[] {
  if (loads.length < 2) return [];
  const named = loads
    .slice(0, mostNamed)
    .map(({ gpu, label, flopsShare, layers }) => {
      const parts = `${layers.length} ${layers.length === 1 ? "layer" : "layers"}`;
      return `GPU ${gpu} ${label} (${percent(flopsShare)} of FLOPs, ${parts})`;
    })
    .join("; ");
  const rest = loads.length > mostNamed ? `; and ${loads.length - mostNamed} more` : "";
  const outdone = outdoneByFlops(loads);
  const note =
    outdone === undefined
      ? ""
      : `. By FLOPs alone GPU ${outdone.gpu} does more than a GPU of medium load`;
  return [report(loadOfGpus, ["hardware", "gpus"], `${named}${rest}${note}`, loadRule)];
}

/** A GPU with less than half of the average arithmetic waits for the others. */
function gpusShareTheWork(loads: readonly GpuLoad[]): Diagnostic[] {
  const busiest = loads.reduce(
    (most, load) => (load.flopsShare > most.flopsShare ? load : most),
    loads[0] ?? { gpu: 0, flopsShare: 0 },
  );
  return loads
    .filter(({ label, flopsShare }) => label !== "idle" && flopsShare * loads.length < 0.5)
    .slice(0, mostNamed)
    .map(({ gpu, flopsShare }) =>
      report(
        gpuUnderused,
        ["hardware", "gpus"],
        `GPU ${gpu} has ${percent(flopsShare)} of the FLOPs, GPU ${busiest.gpu} ${percent(busiest.flopsShare)}`,
        `move some computation from GPU ${busiest.gpu} to GPU ${gpu}`,
      ),
    );
}

function percent(share: number): string {
  return formatShare(share, 2);
}
