// Rules on how evenly the work is spread over the GPUs.

import type { Diagnostic } from "../../plan/diagnostic.ts";
import type { Plan } from "../../plan/plan.ts";
import { info, warning } from "../../plan/rules/rule.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { loadPerGpu, loadRule, outdoneByFlops } from "../../program/load_per_gpu.ts";

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;

/** Most GPUs a message names; a plan of thousands is told by its extremes. */
const mostNamed = 16;

/** Light, medium or heavy, GPU by GPU. */
export const loadIsNamed = (plan: Plan, estimate: PlanEstimate): Diagnostic[] => {
  const loads = loadPerGpu(plan, estimate);
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
  return [info("load-per-gpu", ["hardware", "gpus"], `${named}${rest}${note}`, loadRule)];
};

/** A GPU with less than half of the average arithmetic waits for the others. */
export const gpusShareTheWork = (plan: Plan, estimate: PlanEstimate): Diagnostic[] => {
  const loads = loadPerGpu(plan, estimate);
  const busiest = loads.reduce(
    (most, load) => (load.flopsShare > most.flopsShare ? load : most),
    loads[0] ?? { gpu: 0, flopsShare: 0 },
  );
  return loads
    .filter(({ label, flopsShare }) => label !== "idle" && flopsShare * loads.length < 0.5)
    .slice(0, mostNamed)
    .map(({ gpu, flopsShare }) =>
      warning(
        "gpu-underused",
        ["hardware", "gpus"],
        `GPU ${gpu} has ${percent(flopsShare)} of the FLOPs, GPU ${busiest.gpu} ${percent(busiest.flopsShare)}`,
        `move some computation from GPU ${busiest.gpu} to GPU ${gpu}`,
      ),
    );
};
