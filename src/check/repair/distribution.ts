// The tensor_parallel_distribution that a group should have, derived from the module names in the one
// that is there. A module is `<block>_<part>_<shard>`.

import {
  distributionEntries,
  type GpuEntry,
  keyOfGpus,
  parseModule,
} from "../../plan/distribution.ts";
import type { DistributionFile } from "../../plan/schema.ts";

/**
 * One entry for the whole group, with every part in as many shards as the group has GPUs. Undefined where
 * a name does not follow the grammar, so that nothing would be known about it.
 */
export function repairDistribution(
  distribution: DistributionFile,
  group: readonly number[],
): DistributionFile | undefined {
  const entries = distributionEntries(distribution);
  const perGpu = entries.filter((entry) => entry.form === "per-gpu");
  if (entries.length === 0) return undefined;
  if (perGpu.length > 0 && perGpu.length < entries.length) return undefined;
  const shards = group.map((_, shard) => shard);
  const parts = perGpu.length > 0 ? fromModules(perGpu, shards) : fromParts(distribution, shards);
  return parts === undefined ? undefined : { [keyOfGpus(group)]: Object.fromEntries(parts) };
}

type Parts = (readonly [string, string[]])[];

/** `gpu_0: [attention_qkv_0, …]` becomes parts of the group, block by block as they first appear. */
function fromModules(entries: readonly GpuEntry[], shards: readonly number[]): Parts | undefined {
  const blocks = new Map<string, Set<string>>();
  for (const name of entries.flatMap(({ modules }) => modules)) {
    const module = parseModule(name);
    if (module === undefined) return undefined;
    const parts = blocks.get(module.block) ?? new Set<string>();
    blocks.set(module.block, parts.add(module.part));
  }
  return [...blocks].flatMap(([block, parts]) =>
    isAttention(parts)
      ? attentionParts(block, [...parts], shards)
      : feedForwardParts(block, [...parts], shards),
  );
}

const fusedInput = "qkv";
const inputs = ["q_proj", "k_proj", "v_proj"];
const inputNames = new Set([fusedInput, ...inputs, "q", "k", "v"]);
const outputNames = new Set(["out", "output", "o", "out_proj", "o_proj"]);

function isAttention(parts: ReadonlySet<string>): boolean {
  return [...parts].some((part) => inputNames.has(part));
}

function shardsOf(parts: readonly string[], shards: readonly number[]): string[] {
  return shards.flatMap((shard) => parts.map((part) => `${part}_${shard}`));
}

/** A fused input is its three projections; every other part stands on its own. */
function attentionParts(block: string, parts: readonly string[], shards: readonly number[]): Parts {
  const others = parts.filter((part) => !inputNames.has(part) && !outputNames.has(part));
  return [
    [`${block}_qkv`, shardsOf(inputs, shards)],
    ...others.map((part) => [`${block}_${part}`, shardsOf([part], shards)] as const),
    ...(parts.some((part) => outputNames.has(part))
      ? [[`${block}_output`, shardsOf(["out_proj"], shards)] as const]
      : []),
  ];
}

/** The block's `out` is its last part by another name, unless it has no other two to run through. */
function feedForwardParts(
  block: string,
  parts: readonly string[],
  shards: readonly number[],
): Parts {
  const named = parts.filter((part) => !outputNames.has(part));
  return [[`${block}_layers`, shardsOf(named.length >= 2 ? named : parts, shards)]];
}

/** `gpu_0_gpu_1_gpu_2: { mlp_layers: [fc1_0, …] }` keeps its parts and gets their shards anew. */
function fromParts(distribution: DistributionFile, shards: readonly number[]): Parts | undefined {
  const parts = new Map<string, Set<string>>();
  for (const entry of distributionEntries(distribution)) {
    if (entry.form !== "per-group") continue;
    for (const [name, modules] of entry.parts) {
      const stems = parts.get(name) ?? new Set<string>();
      for (const module of modules) {
        const stem = /^(.+)_\d+$/.exec(module)?.[1];
        if (stem === undefined) return undefined;
        stems.add(stem);
      }
      parts.set(name, stems);
    }
  }
  return [...parts].map(([name, stems]) => [name, shardsOf([...stems], shards)] as const);
}
