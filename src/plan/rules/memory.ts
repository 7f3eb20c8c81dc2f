// Rules on memory: does the plan fit, is the figure realistic, how much is left.

import { memoryKinds, memoryNeeds, type MemoryNeed } from "../memory_needs.ts";
import type { Plan } from "../plan.ts";
import { formatBytes } from "../quantity.ts";
import { error, info, type Rule, warning } from "./rule.ts";

const path = ["hardware", "memoryPerGpu"];
const gibibyte = 2 ** 30;
/** Above this share an estimate leaves no room for what it does not count. */
const fullShare = 0.9;

/** The GPU that needs most. */
export const fullestGpu = (plan: Plan): MemoryNeed | undefined => {
  let fullest: MemoryNeed | undefined;
  for (const need of memoryNeeds(plan)) {
    if (fullest === undefined || need.total > fullest.total) fullest = need;
  }
  return fullest;
};

const names: Record<(typeof memoryKinds)[number], string> = {
  weights: "weights",
  activations: "activations",
  workspace: "workspace",
  keyValueCache: "KV cache",
  gradients: "gradients",
  optimizer: "optimizer state",
};

const percent = (part: number, whole: number): string =>
  `${Number(((100 * part) / whole).toPrecision(3))} %`;

/** Everything that a GPU must hold fits. */
export const memorySuffices: Rule = (plan) => {
  const memory = plan.hardware.memoryPerGpu;
  if (memory === undefined) return [];
  const fullest = fullestGpu(plan);
  if (fullest === undefined) return [];
  const { gpu, total: bytes } = fullest;
  // 64 GB stays 64 GB, 16 MiB stays 16 MiB.
  const shown = (value: number) =>
    formatBytes(value, memory % 2 ** 20 === 0 ? "binary" : "decimal");
  const parts = memoryKinds
    .filter((kind) => fullest[kind] > 0)
    .map((kind) => `${names[kind]} ${shown(fullest[kind])}`);
  const figures =
    `GPU ${gpu}, the fullest, needs about ${shown(bytes)} of ${shown(memory)} ` +
    `(${percent(bytes, memory)}): ${parts.join(", ")}`;
  const mend = "split over more GPUs, use more micro-batches, or raise hardware.memoryPerGpu";
  if (bytes > memory) return [error("memory-exceeded", path, figures, mend)];
  if (bytes > fullShare * memory) return [warning("memory-headroom-small", path, figures, mend)];
  return [info("memory-headroom", path, `${figures}; ${shown(memory - bytes)} are left`)];
};

/** A GPU of less than 1 GiB exists nowhere, and holds no model. */
export const memoryIsRealistic: Rule = ({ hardware: { memoryPerGpu } }) =>
  memoryPerGpu === undefined || memoryPerGpu >= gibibyte
    ? []
    : [
        warning(
          "memory-unrealistic",
          path,
          `${formatBytes(memoryPerGpu)} per GPU severely limits the model and the batch`,
          "raise it to 8–32 GiB, depending on the GPU",
        ),
      ];
