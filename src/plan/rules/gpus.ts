// Rules on which GPUs a plan names.

import { listedGpus } from "../distribution.ts";
import type { Path } from "../document.ts";
import { listed, usedGpus } from "../layers.ts";
import { contextOf, worldOf } from "../mesh.ts";
import { isGrouped } from "../stages_explicit.ts";
import type { PlanFile } from "../schema.ts";
import { error, info, type Rule, warning } from "./rule.ts";

interface NamedList {
  readonly path: Path;
  readonly gpus: readonly number[];
}

/** Every list of GPU ids in the file, replica by replica. */
const writtenLists = (written: PlanFile): NamedList[] => {
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
};

/** Every GPU id that is named exists: ids run from 0 to gpus − 1. */
export const gpuIdsExist: Rule = ({ hardware: { gpus } }, written) => {
  if (written === undefined) return [];
  const lists = writtenLists(written);
  const faults = lists.flatMap(({ path, gpus: ids }) =>
    ids.flatMap((id, i) =>
      id < gpus
        ? []
        : [
            error(
              "gpu-not-available",
              path[0] === "tensor_parallel_distribution" ? path : [...path, i],
              `GPU ${id} is named, but there are ${gpus} GPUs: 0 to ${gpus - 1}`,
              `name a GPU from 0 to ${gpus - 1}, or raise hardware.gpus to ${id + 1}`,
            ),
          ],
    ),
  );
  if (faults.length > 0 || lists.length === 0) return faults;
  return [
    info(
      "gpu-ids-valid",
      ["hardware", "gpus"],
      `every stage, split and communication names GPUs from 0 to ${gpus - 1}`,
    ),
  ];
};

/** A list names each GPU once: a GPU holds one shard. */
export const gpusListedOnce: Rule = (_plan, written) => {
  if (written === undefined) return [];
  return writtenLists(written).flatMap(({ path, gpus }) => {
    const seen = new Set<number>();
    return gpus.flatMap((id, i) =>
      seen.size < seen.add(id).size
        ? []
        : [
            error(
              "gpu-listed-twice",
              [...path, i],
              `GPU ${id} stands twice in one list`,
              "a GPU holds one shard: name each once",
            ),
          ],
    );
  });
};

/** A GPU is a member of one data replica only. */
export const replicasAreDisjoint: Rule = (_plan, written) =>
  (written?.stages ?? []).flatMap((stage, s) =>
    stage.layers.flatMap((layer, l) => {
      const gpus = layer.parallel?.gpus;
      if (gpus === undefined || !isGrouped(gpus)) return [];
      const shared = gpus.flatMap((group, i) =>
        group.filter((id) => gpus.findIndex((other) => other.includes(id)) < i),
      );
      return shared.length === 0
        ? []
        : [
            error(
              "replicas-share-gpu",
              ["stages", s, "layers", l, "parallel", "gpus"],
              `GPU ${listed(shared)} is in more than one data replica`,
              "give every replica GPUs of its own",
            ),
          ];
    }),
  );

/** tensor × pipeline × data ranks need as many GPUs. */
export const enoughGpus: Rule = (plan) => {
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
          error(
            "not-enough-gpus",
            path,
            `tensor ${tensor} × ${context === 1 ? "" : `context ${context} × `}pipeline ${pipeline} × data ${data} needs ${world} GPUs, there are ${gpus}`,
            "raise hardware.gpus, or lower a degree",
          ),
        ];
  }
  return used.length > gpus
    ? []
    : [info("gpu-count-fits", path, `${used.length} of ${gpus} GPUs are used`)];
};

/** A GPU that nothing runs on is paid for in vain. */
export const everyGpuIsUsed: Rule = (plan) => {
  const used = new Set(usedGpus(plan));
  const idle = [...Array(plan.hardware.gpus).keys()].filter((gpu) => !used.has(gpu));
  if (idle.length === 0) return [];
  const shown = idle.length > 8 ? `${listed(idle.slice(0, 8))}, …` : listed(idle);
  return [
    warning(
      "gpu-unused",
      ["hardware", "gpus"],
      `no layer runs on ${idle.length} of ${plan.hardware.gpus} GPUs: ${shown}`,
      "raise a degree, move a layer there, or lower hardware.gpus",
    ),
  ];
};
