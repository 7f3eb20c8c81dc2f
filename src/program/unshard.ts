// The same work on one rank: what a sharded run is compared with where the f64 reference would take too long.

import { onGpus } from "../plan/layers.ts";
import type { Layer } from "../plan/layers/layers.ts";
import type { Plan } from "../plan/plan.ts";

/** The plan with every layer on GPU 0 alone, nothing communicated and nothing scheduled. */
export function unshard({
  workload: { schedule: _, ...workload },
  degrees: _degrees,
  ...plan
}: Plan): Plan {
  return {
    ...plan,
    workload,
    hardware: { ...plan.hardware, gpus: 1 },
    communications: [],
    stages: plan.stages.map((stage) => ({ ...stage, layers: stage.layers.map(onOneGpu) })),
  };
}

function onOneGpu(layer: Layer): Layer {
  return onGpus(
    layer,
    () => [[0]],
    () => [[[0]]],
  );
}
