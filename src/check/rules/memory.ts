// Rules on memory: does the plan fit, and how much is left.

import type { Diagnostic } from "../../plan/diagnostic.ts";
import { isPrinted } from "../../plan/hardware.ts";
import { featuresOfUnknownWeight, notesThatBear } from "../../plan/import/note_bearing.ts";
import type { Plan } from "../../plan/plan.ts";
import { formatBytes } from "../../plan/quantity.ts";
import { unknownOptimizations } from "../../plan/optimizations.ts";
import { error, info, warning } from "../../plan/rules/rule.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { fullestNeed, type MemoryKind, memoryKinds } from "../../program/memory.ts";

const path = ["hardware", "memoryPerGpu"];
/** Above this share an estimate leaves no room for what it does not count. */
const fullShare = 0.9;

const names: Record<MemoryKind, string> = {
  weights: "weights",
  activations: "activations",
  workspace: "workspace",
  keyValueCache: "KV cache",
  gradients: "gradients",
  optimizer: "optimizer state",
};

const percent = (part: number, whole: number): string =>
  `${Number(((100 * part) / whole).toPrecision(3))} %`;

/**
 * Everything that a GPU must hold fits. Refused is only what no run of the plan can hold: activations may be used
 * again sooner than our program does, and what a plan does not say of ZeRO and recomputation may be done.
 */
export const memorySuffices = (plan: Plan, estimate: PlanEstimate): Diagnostic[] => {
  const memory = plan.hardware.memoryPerGpu;
  if (memory === undefined) return [];
  const fullest = fullestNeed(estimate.memory);
  const { rank, total } = fullest;
  const unknown = [...unknownOptimizations(plan), ...featuresOfUnknownWeight(plan.model)];
  // 64 GB stays 64 GB, 16 MiB stays 16 MiB.
  const shown = (value: number) =>
    formatBytes(value, memory % 2 ** 20 === 0 ? "binary" : "decimal");
  const parts = memoryKinds
    .filter((kind) => fullest[kind] > 0)
    .map((kind) => `${names[kind]} ${shown(fullest[kind])}`);
  const figures =
    `GPU ${rank}, the fullest, needs ${shown(total)} of ${shown(memory)} ` +
    `(${percent(total, memory)}): ${parts.join(", ")}`;
  const mend = "split over more GPUs, use more micro-batches, or raise hardware.memoryPerGpu";
  const most = Math.max(0, ...estimate.memory.map((need) => need.least));
  if (most > memory * (1 + slackOf(plan))) {
    return [
      error(
        "memory-exceeded",
        path,
        `${figures}; any run of the plan holds at least ${shown(most)}`,
        mend,
      ),
    ];
  }
  if (total > memory) {
    return [
      warning(
        "memory-exceeded-as-planned",
        path,
        unknown.length > 0
          ? `${figures}; what ${unknown.join(" and ")} saves is not known`
          : `${figures}; a run that ${thatSaves(plan)} holds at least ${shown(most)}`,
        plan.workload.mode === "training"
          ? `say in the plan what the run shards and recomputes; else ${mend}`
          : mend,
      ),
    ];
  }
  if (total > fullShare * memory) return [warning("memory-headroom-small", path, figures, mend)];
  return [info("memory-headroom", path, `${figures}; ${shown(memory - total)} are left`)];
};

/** Drivers report up to 7 % more than a datasheet prints; weights of fewer bits are not what the plan counts. */
const slackOf = (plan: Plan): number => {
  if (notesThatBear(plan, "memory").length > 0) return Infinity;
  return isPrinted(plan.hardware, "memoryPerGpu") ? 0.074 : 0;
};

const reusing = "uses the memory of activations again as soon as they were read";

const thatSaves = ({ workload, degrees }: Plan): string => {
  if (workload.mode === "inference") return reusing;
  const means = [
    ...(degrees?.zero === undefined && (degrees?.data ?? 1) > 1
      ? ["shards its state over the data replicas (parallel.zero)"]
      : []),
    ...(workload.recompute === undefined ? ["recomputes activations (workload.recompute)"] : []),
  ];
  return means.length === 0 ? reusing : means.join(" and ");
};
