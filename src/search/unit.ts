// One pipeline stage with all blocks, on the fewest ranks that do not depend on others, for one micro-batch: what it costs
// is the same in every pipeline, schedule and number of replicas around it.

import { normalise } from "../plan/normalise.ts";
import { expertTensorOf } from "../plan/mesh.ts";
import type { PlanFile } from "../plan/schema.ts";
import { degreesOf } from "../plan/stages_from_degrees.ts";
import type { Peaks } from "../program/bound.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { layerCosts, type LayerCost } from "../program/simulate/layer_costs.ts";
import { inBlocks, type InBlocks } from "./model_work.ts";

export type UnitCosts = InBlocks<LayerCost>;

/** Units are lowered once, however many plans they are part of. */
export function createUnits(peaks: Peaks, overheads: Overheads): (file: PlanFile) => UnitCosts {
  const known = new Map<string, UnitCosts>();
  return (file) => {
    const unit = unitOf(file);
    const key = JSON.stringify([unit.parallel, unit.workload, unit.optimizations]);
    const found = known.get(key) ?? costsOf(unit, peaks, overheads);
    known.set(key, found);
    return found;
  };
}

function costsOf(unit: PlanFile, peaks: Peaks, overheads: Overheads): UnitCosts {
  const { plan } = normalise(unit);
  if (plan === undefined) throw new Error(`${unit.name}: a part of a sound plan makes no plan`);
  return inBlocks(plan, layerCosts(plan, peaks, overheads));
}

function unitOf(file: PlanFile): PlanFile {
  const degrees = degreesOf(file);
  const { tensor, data } = degrees;
  const { sequence, expertGroup, vocabularyMultiple, expertTensor } = file.parallel ?? {};
  const { hardware, workload, model, optimizations } = file;
  const { microBatches = 1 } = workload;
  const replicas = replicasThatDepend(tensor, data, degrees.expert * expertTensorOf(degrees));
  return {
    name: file.name,
    hardware: { gpus: expertGroup === undefined ? tensor * replicas : hardware.gpus },
    workload: {
      ...workload,
      batch: (workload.batch / (data * microBatches)) * replicas,
      microBatches: 1,
      ...(workload.schedule === undefined ? {} : { schedule: "1f1b" }),
    },
    ...(model === undefined ? {} : { model }),
    ...(optimizations === undefined ? {} : { optimizations }),
    parallel: {
      tensor,
      data: replicas,
      expert: degrees.expert,
      ...(sequence === undefined ? {} : { sequence }),
      ...(expertTensor === undefined ? {} : { expertTensor }),
      ...(expertGroup === undefined ? {} : { expertGroup }),
      ...(vocabularyMultiple === undefined ? {} : { vocabularyMultiple }),
    },
  };
}

/** The fewest that whole expert groups fit on. */
function replicasThatDepend(tensor: number, data: number, group: number): number {
  for (let replicas = 1; replicas < data; replicas++) {
    if (data % replicas === 0 && (tensor * replicas) % group === 0) return replicas;
  }
  return data;
}
