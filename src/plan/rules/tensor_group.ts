// Rules on the tensor group that a plan of degrees names: exactly as many GPUs as its degree, said once.

import { distributionEntries, gpusOfKey, listedGpus, parseModule } from "../distribution.ts";
import type { Path } from "../document.ts";
import { listed } from "../layers.ts";
import { tensorDegreeFits } from "../mesh.ts";
import type { Plan } from "../plan.ts";
import type { DistributionFile } from "../schema.ts";
import { error, info, type Rule } from "./rule.ts";

/** The ways out of a list that is longer or shorter than the degree. */
const alternatives = ({ model }: Plan, tensor: number, gpus: readonly number[]): string => {
  const ways: string[] = [];
  if (gpus.length > tensor) {
    ways.push(`keep tensor ${tensor} and list GPUs ${listed(gpus.slice(0, tensor))}`);
  }
  if (gpus.length < tensor) ways.push(`list ${tensor - gpus.length} more GPUs`);
  const fits = model === undefined || tensorDegreeFits(model, gpus.length);
  ways.push(
    fits
      ? `set tensor to ${gpus.length}`
      : `tensor ${gpus.length} is no way out, it does not divide the model's sizes`,
  );
  return ways.join("; or ");
};

/** TP = 2 over three listed GPUs is an error: a group has exactly as many members as its degree. */
export const tensorGroupMatchesDegree: Rule = (plan, written) => {
  const tensor = plan.degrees?.tensor;
  if (written === undefined || tensor === undefined) return [];
  const { tensor_parallel_distribution: distribution, parallel } = written;
  const lists = [
    {
      path: ["parallel", "tensorGroup"],
      gpus: parallel?.tensorGroup,
    },
    {
      path: ["tensor_parallel_distribution"],
      gpus: distribution === undefined ? undefined : listedGpus(distribution),
    },
  ];
  return lists.flatMap(({ path, gpus }) => {
    if (gpus === undefined || gpus.length === 0) return [];
    return gpus.length === tensor
      ? [
          info(
            "tensor-group-matches-degree",
            path,
            `tensor parallelism of ${tensor} has its ${tensor} GPUs: ${listed(gpus)}`,
          ),
        ]
      : [
          error(
            "tensor-degree-does-not-match-group",
            path,
            `tensor parallelism of ${tensor} needs exactly ${tensor} GPUs, but ${gpus.length} are listed: ${listed(gpus)}`,
            alternatives(plan, tensor, gpus),
          ),
        ];
  });
};

/** Two lists of the tensor group name the same GPUs. */
export const tensorGroupIsSaidOnce: Rule = (_plan, written) => {
  const group = written?.parallel?.tensorGroup;
  const distribution = written?.tensor_parallel_distribution;
  if (group === undefined || distribution === undefined) return [];
  const gpus = listedGpus(distribution);
  return gpus.length === group.length && gpus.every((gpu, i) => gpu === group[i])
    ? []
    : [
        error(
          "tensor-group-contradicts-distribution",
          ["parallel", "tensorGroup"],
          `tensorGroup names GPUs ${listed(group)}, tensor_parallel_distribution ${listed(gpus)}`,
          "name the same GPUs, or leave one of the two out",
        ),
      ];
};

/** Named groups place ranks only where there is one tensor group: not with pipeline or data degrees. */
export const namedGroupsNeedOneMesh: Rule = ({ degrees }, written) => {
  if (degrees === undefined || degrees.pipeline * degrees.data === 1) return [];
  const named = (["tensorGroup", "expertGroup"] as const).filter(
    (key) => written?.parallel?.[key] !== undefined,
  );
  const paths = [
    ...named.map((key) => ["parallel", key]),
    ...(written?.tensor_parallel_distribution === undefined
      ? []
      : [["tensor_parallel_distribution"]]),
  ];
  return paths.map((path) =>
    error(
      "named-group-needs-one-mesh",
      path,
      `a named group cannot say where pipeline ${degrees.pipeline} × data ${degrees.data} copies of it stand`,
      "leave it out: groups follow from the degrees; or write explicit stages",
    ),
  );
};

/** A distribution stands beside degrees: explicit stages name their GPUs themselves. */
export const distributionNeedsDegrees: Rule = (plan, written) =>
  plan.degrees !== undefined || written?.tensor_parallel_distribution === undefined
    ? []
    : [
        error(
          "distribution-without-degrees",
          ["tensor_parallel_distribution"],
          "explicit stages name their GPUs in each layer",
          "leave tensor_parallel_distribution out",
        ),
      ];

const atKey = (key: string): Path => ["tensor_parallel_distribution", key];

/** Keys are `gpu_0`, or `gpu_0_gpu_1` for a group; one form in one plan. */
export const distributionKeysNameGpus: Rule = (_plan, written) => {
  const distribution = written?.tensor_parallel_distribution;
  if (distribution === undefined) return [];
  const unknown = Object.keys(distribution)
    .filter((key) => gpusOfKey(key) === undefined)
    .map((key) =>
      error(
        "distribution-key-names-no-gpu",
        atKey(key),
        `${JSON.stringify(key)} names no GPUs`,
        "write gpu_0 for one GPU, gpu_0_gpu_1 for a group",
      ),
    );
  const entries = distributionEntries(distribution);
  const mixed = entries
    .filter(({ form }) => form !== entries[0]?.form)
    .map(({ key }) =>
      error(
        "distribution-forms-mixed",
        atKey(key),
        "some keys give lists of modules, others parts of a group",
        "use one form for all keys",
      ),
    );
  return [...unknown, ...mixed];
};

/** Every module of a distribution per GPU is there once per shard, 0 to tensor − 1. */
export const everyShardIsPlaced: Rule = (plan, written) => {
  const tensor = plan.degrees?.tensor;
  const distribution = written?.tensor_parallel_distribution;
  if (tensor === undefined || distribution === undefined) return [];
  return [...shardsByModule(distribution)].flatMap(([module, shards]) => {
    const missing = [...Array(tensor).keys()].filter((shard) => !shards.includes(shard));
    return missing.length === 0
      ? []
      : [
          error(
            "tensor-shard-missing",
            ["tensor_parallel_distribution"],
            `${module} has shard ${listed(shards)}, but not ${listed(missing)} of tensor parallelism ${tensor}`,
            `place ${missing.map((shard) => `${module}_${shard}`).join(", ")}`,
          ),
        ];
  });
};

const shardsByModule = (distribution: DistributionFile): Map<string, number[]> => {
  const shards = new Map<string, number[]>();
  for (const entry of distributionEntries(distribution)) {
    if (entry.form !== "per-gpu") continue;
    for (const name of entry.modules) {
      const module = parseModule(name);
      if (module === undefined) continue;
      const key = `${module.block}_${module.part}`;
      shards.set(key, [...(shards.get(key) ?? []), module.shard]);
    }
  }
  return shards;
};
