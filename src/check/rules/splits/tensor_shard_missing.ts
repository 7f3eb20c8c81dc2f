// Every module of a distribution per GPU is there once per shard, 0 to tensor − 1.

import { distributionEntries, parseModule } from "../../../plan/distribution.ts";
import { listed } from "../../../plan/layers.ts";
import type { DistributionFile } from "../../../plan/schema.ts";
import { degreesWith } from "../../example.ts";
import { tensorGroupFixes } from "../../repair/tensor_group.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const tensorShardMissing: DiagnosticDefinition = {
  code: "tensor-shard-missing",
  severity: "error",
  title: "Missing Tensor Shard",
  requires: "Every module has a shard for every tensor rank.",
  examples: {
    bad: degreesWith({
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_down_1"] },
    }),
    good: degreesWith({
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
  },
  section: "notes",
  fix: tensorGroupFixes,
};

export const everyShardIsPlaced: RuleDefinition = {
  chapter: "splits",
  diagnostics: [tensorShardMissing],
  ofPlan: (plan, written) => {
    const tensor = plan.degrees?.tensor;
    const distribution = written?.tensor_parallel_distribution;
    if (tensor === undefined || distribution === undefined) return [];
    return [...shardsByModule(distribution)].flatMap(([module, shards]) => {
      const missing = [...Array(tensor).keys()].filter((shard) => !shards.includes(shard));
      return missing.length === 0
        ? []
        : [
            report(
              tensorShardMissing,
              ["tensor_parallel_distribution"],
              `${module} has shard ${listed(shards)}, but not ${listed(missing)} of tensor parallelism ${tensor}`,
              `place ${missing.map((shard) => `${module}_${shard}`).join(", ")}`,
            ),
          ];
    });
  },
};

function shardsByModule(distribution: DistributionFile): Map<string, number[]> {
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
}
