// Plans that are written as a model and degrees.

import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import type { Space } from "./candidate.ts";
import { createDegreeBounds } from "./degree_bounds.ts";
import { balancedStages, filesByDegrees, splitKey } from "./degrees.ts";
import { workOfModel } from "./model_work.ts";
import { predictDegrees } from "./predict.ts";
import { createUnits } from "./unit.ts";

/** @param plan of `file`, before it is on other GPUs */
export function degreeSpace(file: PlanFile, plan: Plan, peaks: Peaks, overheads: Overheads): Space {
  const work = workOfModel(plan);
  const unitOf = createUnits(peaks, overheads);
  const flops = work.blocks.map((block) => block.flops);
  const splits = new Map<number, number[] | undefined>();
  const balanced = (pipeline: number): readonly number[] | undefined => {
    if (!splits.has(pipeline)) {
      splits.set(
        pipeline,
        pipeline > flops.length
          ? undefined
          : balancedStages(flops, pipeline, work.first.flops, work.last.flops),
      );
    }
    return splits.get(pipeline);
  };
  const own = splitKey(file);
  return {
    files: filesByDegrees(file, file.hardware.gpus, balanced).filter(
      (each) => splitKey(each) !== own,
    ),
    boundsOf: createDegreeBounds(plan, work, peaks),
    predict: (each, candidate) =>
      predictDegrees(candidate, unitOf(each), peaks, overheads.latencyMs),
  };
}
