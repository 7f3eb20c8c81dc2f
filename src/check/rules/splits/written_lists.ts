// The lists of GPU ids that a plan file gives.

import { listedGpus } from "../../../plan/distribution.ts";
import type { Path } from "../../../plan/document.ts";
import type { PlanFile } from "../../../plan/schema.ts";
import { isGrouped } from "../../../plan/layers/parallel.ts";

export interface NamedList {
  readonly path: Path;
  readonly gpus: readonly number[];
}

/** Every list of GPU ids in the file, replica by replica. */
export function writtenLists(written: PlanFile): NamedList[] {
  const { stages = [], communications = [], parallel, tensor_parallel_distribution } = written;
  const ofStages = stages.flatMap((stage, s) =>
    stage.layers.flatMap((layer, l): NamedList[] => {
      if (layer.parallel === undefined) return [];
      const path = ["stages", s, "layers", l, "parallel"];
      const { gpus, tokenGpus } = layer.parallel;
      const lists = isGrouped(gpus)
        ? gpus.map((group, i) => ({ path: [...path, "gpus", i], gpus: group }))
        : [{ path: [...path, "gpus"], gpus }];
      return tokenGpus === undefined
        ? lists
        : [...lists, { path: [...path, "tokenGpus"], gpus: tokenGpus }];
    }),
  );
  const ofCommunications = communications.flatMap(({ from, to }, i): NamedList[] => [
    { path: ["communications", i, "from"], gpus: from },
    { path: ["communications", i, "to"], gpus: to },
  ]);
  const groups = (["tensorGroup", "expertGroup"] as const).flatMap((key): NamedList[] => {
    const gpus = parallel?.[key];
    return gpus === undefined ? [] : [{ path: ["parallel", key], gpus }];
  });
  const distribution: NamedList[] =
    tensor_parallel_distribution === undefined
      ? []
      : [
          {
            path: ["tensor_parallel_distribution"],
            gpus: listedGpus(tensor_parallel_distribution),
          },
        ];
  return [...ofStages, ...ofCommunications, ...groups, ...distribution];
}
