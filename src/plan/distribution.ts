// `tensor_parallel_distribution`: which GPUs hold which tensor-parallel modules, in either of its forms.

import type { DistributionFile } from "./schema.ts";

/** `gpu_0: [modules]`. */
export interface GpuEntry {
  readonly form: "per-gpu";
  readonly key: string;
  readonly gpus: readonly number[];
  readonly modules: readonly string[];
}

/** `gpu_0_gpu_1: { part: [modules] }`. */
export interface GroupEntry {
  readonly form: "per-group";
  readonly key: string;
  readonly gpus: readonly number[];
  readonly parts: readonly (readonly [string, readonly string[]])[];
}

export type DistributionEntry = GpuEntry | GroupEntry;

/** The GPUs that a key names: `gpu_0_gpu_1` is [0, 1]. Undefined where it is no such key. */
export function gpusOfKey(key: string): number[] | undefined {
  return /^gpu_\d+(_gpu_\d+)*$/.test(key)
    ? [...key.matchAll(/\d+/g)].map(([id]) => Number(id))
    : undefined;
}

export function keyOfGpus(gpus: readonly number[]): string {
  return gpus.map((gpu) => `gpu_${gpu}`).join("_");
}

/** Entries in the order of the file; keys that name no GPUs are left out. */
export function distributionEntries(distribution: DistributionFile): DistributionEntry[] {
  return Object.entries(distribution).flatMap(([key, value]): DistributionEntry[] => {
    const gpus = gpusOfKey(key);
    if (gpus === undefined) return [];
    return Array.isArray(value)
      ? [{ form: "per-gpu", key, gpus, modules: value }]
      : [{ form: "per-group", key, gpus, parts: Object.entries(value) }];
  });
}

/** Every GPU that the distribution names, each once, in its order: the tensor group it states. */
export function listedGpus(distribution: DistributionFile): number[] {
  return [...new Set(distributionEntries(distribution).flatMap(({ gpus }) => gpus))];
}

/** A module name `<block>_<part>_<shard>`, such as `mlp_fc1_0` or `self_attn_q_proj_3`. */
export interface ModuleName {
  readonly block: string;
  readonly part: string;
  readonly shard: number;
}

export function parseModule(name: string): ModuleName | undefined {
  const [, stem = "", shard] = /^(.+)_(\d+)$/.exec(name) ?? [];
  const words = stem.split("_");
  // `q_proj`, `out_proj` and their like are one part.
  const partWords = words.at(-1) === "proj" ? 2 : 1;
  if (shard === undefined || words.length <= partWords) return undefined;
  return {
    block: words.slice(0, -partWords).join("_"),
    part: words.slice(-partWords).join("_"),
    shard: Number(shard),
  };
}
