// Ways out of a tensor group that has more or fewer GPUs than its degree: use as many as the degree says,
// take the degree from the list, or give the surplus GPUs a pipeline stage of their own.

import { listedGpus } from "../../plan/distribution.ts";
import { tensorDegreeFits } from "../../plan/mesh.ts";
import { repairDistribution } from "./distribution.ts";
import { drop, type Faulty, type Fix, type PatchOperation, type Proposal, put } from "./fix.ts";
import { surplusStage } from "./surplus_stage.ts";

/** Both lists name this group; undefined where the distribution's module names say nothing. */
function listsOf(faulty: Faulty, group: readonly number[]): PatchOperation[] | undefined {
  const { tensor_parallel_distribution: distribution, parallel } = faulty.written ?? {};
  const operations: PatchOperation[] = [];
  if (distribution !== undefined && listedGpus(distribution).length > 0) {
    const value = repairDistribution(distribution, group);
    if (value === undefined) return undefined;
    operations.push(put(faulty, ["tensor_parallel_distribution"], value));
  }
  if (parallel?.tensorGroup !== undefined) {
    operations.push(put(faulty, ["parallel", "tensorGroup"], group));
  }
  return operations;
}

function describe(group: readonly number[]): string {
  return `every shard now lives on GPUs ${group.join(", ")}`;
}

export const tensorGroupFixes: Fix = (faulty) => {
  const { plan, written } = faulty;
  const degrees = plan?.degrees;
  if (plan === undefined || written === undefined || degrees === undefined) return [];
  const distribution = written.tensor_parallel_distribution;
  const placed = distribution === undefined ? [] : listedGpus(distribution);
  const listed = placed.length > 0 ? placed : (written.parallel?.tensorGroup ?? []);
  const { tensor } = degrees;
  const keep = listed.slice(0, tensor);
  const spare = Array.from({ length: Math.min(plan.hardware.gpus, 64) }, (_, gpu) => gpu).filter(
    (gpu) => !listed.includes(gpu),
  );
  const full = [...keep, ...spare.slice(0, tensor - keep.length)];
  const proposals: Proposal[] = [];

  const kept = full.length === tensor ? listsOf(faulty, full) : undefined;
  if (kept !== undefined) {
    const surplus = listed.slice(tensor);
    proposals.push({
      patch: kept,
      description: `${describe(full)}, as many as tensor ${tensor} needs`,
      consequence:
        surplus.length === 0
          ? "no GPU is left out"
          : `GPU ${surplus.join(", ")} takes no part in attention and MLP`,
    });
  }
  const fits = plan.model === undefined || tensorDegreeFits(plan.model, listed.length);
  const widened = fits && listed.length !== tensor ? listsOf(faulty, listed) : undefined;
  if (widened !== undefined) {
    proposals.push({
      patch: [put(faulty, ["parallel", "tensor"], listed.length), ...widened],
      description: `parallel.tensor is now ${listed.length}, the number of GPUs listed`,
      consequence:
        listed.length > tensor
          ? "smaller shards, and larger collectives"
          : "larger shards: more memory and work per GPU",
    });
  }
  const staged = surplusStage(faulty, keep, listed.slice(tensor));
  if (staged !== undefined) proposals.push(staged);
  const leftOut = [
    ...(distribution === undefined ? [] : [drop(["tensor_parallel_distribution"])]),
    ...(written.parallel?.tensorGroup === undefined ? [] : [drop(["parallel", "tensorGroup"])]),
  ];
  if (leftOut.length > 0) {
    proposals.push({
      patch: leftOut,
      description: "the lists of the tensor group are left out",
      consequence: `the group is GPUs 0 to ${tensor - 1}, as follows from the degrees`,
    });
  }
  return proposals;
};
