// Rules on memory: does the plan fit, is the figure realistic, how much is left.

import { costPerGpu } from "../cost.ts";
import type { Plan } from "../plan.ts";
import { formatBytes } from "../quantity.ts";
import { error, info, type Rule, warning } from "./rule.ts";

const path = ["hardware", "memoryPerGpu"];
const gibibyte = 2 ** 30;
/** Above this share an estimate leaves no room for what it does not count. */
const fullShare = 0.9;

interface Need {
  readonly gpu: number;
  readonly bytes: number;
}

/** Weights, and the activations of one micro-batch with no buffer used twice, of the fullest GPU. */
export const fullestGpu = (plan: Plan): Need =>
  costPerGpu(plan)
    .map(({ gpu, weightBytes, activationBytes }) => ({ gpu, bytes: weightBytes + activationBytes }))
    .reduce((fullest, need) => (need.bytes > fullest.bytes ? need : fullest), { gpu: 0, bytes: 0 });

const percent = (part: number, whole: number): string =>
  `${Number(((100 * part) / whole).toPrecision(3))} %`;

/** Weights and activations fit. An estimate: staging for communication is not counted. */
export const memorySuffices: Rule = (plan) => {
  const memory = plan.hardware.memoryPerGpu;
  if (memory === undefined) return [];
  const { gpu, bytes } = fullestGpu(plan);
  // 64 GB stays 64 GB, 16 MiB stays 16 MiB.
  const shown = (value: number) =>
    formatBytes(value, memory % 2 ** 20 === 0 ? "binary" : "decimal");
  const figures =
    `GPU ${gpu}, the fullest, needs about ${shown(bytes)} of ` +
    `${shown(memory)} for weights and activations (${percent(bytes, memory)})`;
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
