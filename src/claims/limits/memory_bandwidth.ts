// Every micro-batch reads the weights of its layers: steps/s ≤ bandwidth ÷ (micro-batches · bytes of weights on the
// fullest GPU). Experts that no token chose, rows of the embedding that no token names, and weights that stay in a
// cache on the chip are not read: dense plans with more weights than any cache only.

import { mixedPrecision } from "../../plan/optimizations.ts";
import { valueBytes } from "../../program/key_value_cache.ts";
import { sizePaths } from "../../plan/assumed.ts";
import { largest, type Case } from "../case.ts";
import { number, quantity } from "../words.ts";
import { leftOutOfSpeed, type LimitRule } from "./limit.ts";

/** More than the last-level caches of today's GPUs hold. */
const cacheBytes = 2 ** 30;

export const memoryBandwidthLimit: LimitRule = (given, { key }) => {
  if (key !== "samplesPerSecond" && key !== "tokensPerSecond") return undefined;
  const { plan } = given;
  const bandwidth = plan.hardware.memoryBandwidth;
  const bytes = readPerMicroBatch(given);
  if (bandwidth === undefined || bytes === undefined) return undefined;
  const { batch, microBatches, sequence } = plan.workload;
  const steps = bandwidth / (microBatches * bytes);
  const best = steps * batch * (key === "tokensPerSecond" ? sequence : 1);
  return {
    name: "memory bandwidth",
    best,
    because: `each of ${microBatches} micro-batches reads ${quantity(bytes, "B")} of weights at ${quantity(bandwidth, "B/s")}: at most ${number(best)} per second`,
    paths: [...sizePaths, "hardware.memoryBandwidth"],
    unsaid: [...leftOutOfSpeed(given), ...mixedPrecision(plan)],
    needs: [],
  };
};

/** Bytes of weights on the fullest GPU; undefined where not all may be read. */
export function readPerMicroBatch({ plan, estimate }: Case): number | undefined {
  const layers = plan.stages.flatMap((stage) => stage.layers);
  if (layers.some(({ op }) => op === "moe")) return undefined;
  const bytes = valueBytes(plan);
  const table = layers.find(({ op }) => op === "embedding");
  const embedding = table?.op === "embedding" ? table.vocabulary * table.hidden * bytes : 0;
  const read = largest(estimate.memory, ({ weights }) => weights) - embedding;
  return read < cacheBytes ? undefined : read;
}
