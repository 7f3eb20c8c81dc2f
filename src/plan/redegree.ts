// A plan with degrees on another number of GPUs, by these rules:
//
// 1. On one GPU nothing is split; on as many as the plan has, it stays as it is.
// 2. Data parallelism takes what there is beside the plan's own tensor and pipeline degrees.
// 3. Where those do not divide the GPUs, they shrink to divisors of themselves that do, the pipeline first.
// 4. Experts go over as many ranks as the plan has them on, or the next fewer that divide both.

import { divisors } from "./divisors.ts";
import { withoutLostAssumed } from "./assumed.ts";
import type { Degrees } from "./plan.ts";
import type { PlanFile } from "./schema.ts";
import { degreesOf } from "./stages_from_degrees.ts";

/** Plans on `gpus` GPUs, those that keep most of the plan's own degrees first; which of them are sound, rules say. */
export function redegreed(file: PlanFile, gpus: number): PlanFile[] {
  if (gpus === file.hardware.gpus) return [file];
  const own = degreesOf(file);
  return divisorsDown(own.tensor)
    .flatMap((tensor) =>
      divisorsDown(own.pipeline)
        .filter((pipeline) => gpus % (tensor * pipeline) === 0)
        .map((pipeline) => ({ tensor, pipeline })),
    )
    .toSorted((a, b) => b.tensor * b.pipeline - a.tensor * a.pipeline || b.tensor - a.tensor)
    .flatMap(({ tensor, pipeline }) =>
      expertDegrees(own.expert, gpus / pipeline).map((expert) =>
        withDegrees(file, gpus, {
          tensor,
          pipeline,
          data: gpus / (tensor * pipeline),
          expert,
        }),
      ),
    );
}

function expertDegrees(own: number, ranks: number): number[] {
  return divisorsDown(ranks).filter((each) => each <= own);
}

function divisorsDown(whole: number): number[] {
  return divisors(whole).toReversed();
}

/** Named groups, and layers of each stage, are those of the plan's own GPUs. */
function withDegrees(
  file: PlanFile,
  gpus: number,
  degrees: Pick<Degrees, "tensor" | "pipeline" | "data" | "expert">,
): PlanFile {
  const { tensor_parallel_distribution: _, parallel = {}, ...rest } = file;
  const { sequence, zero, vocabularyMultiple, virtualStages } = parallel;
  return withoutLostAssumed(file, {
    ...rest,
    hardware: { ...file.hardware, gpus },
    parallel: {
      ...degrees,
      ...(sequence === true && degrees.tensor > 1 ? { sequence } : {}),
      ...(zero !== undefined && degrees.data > 1 ? { zero } : {}),
      ...(vocabularyMultiple === undefined ? {} : { vocabularyMultiple }),
      ...(virtualStages !== undefined && degrees.pipeline > 1 ? { virtualStages } : {}),
    },
  });
}
