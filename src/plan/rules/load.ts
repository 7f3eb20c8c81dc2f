// A rule on data parallelism that is none.

import { type Rule, warning } from "./rule.ts";

/** "Data-parallel" on one GPU is no parallelism. */
export const dataParallelHasReplicas: Rule = (plan, written) => {
  if (plan.hardware.gpus === 1) return [];
  return (written?.stages ?? []).flatMap(({ name, layers }, s) =>
    layers.flatMap(({ op, parallel }, l) => {
      if (parallel?.kind !== "data" || parallel.gpus.flat().length !== 1) return [];
      return [
        warning(
          "single-data-replica",
          ["stages", s, "layers", l, "parallel"],
          `stage ${JSON.stringify(name)} is data-parallel with only 1 replica, which under-uses GPU ${parallel.gpus.flat().join()}`,
          `consider more replicas or another split for this ${op} layer, or move work of busier GPUs there`,
        ),
      ];
    }),
  );
};
