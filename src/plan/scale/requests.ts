// Fewer requests and shorter ones, of a plan that serves.

import type { PlanFile } from "../schema.ts";
import type { ServingFile } from "../serving.ts";
import type { Dimension } from "./dimension.ts";

/** Prompts of fewer would be products of other kernels. */
const leastInput = 32;
/** Enough steps that decode, to time some. */
const leastOutput = 9;

function withServing(file: PlanFile, change: ServingFile): PlanFile {
  return { ...file, workload: { ...file.workload, ...change } };
}

function servedBy({ workload }: PlanFile): PlanFile["workload"] | undefined {
  return workload.mode === "serving" ? workload : undefined;
}

/** Steps stay as they are, there are fewer of them. */
export const requests: Dimension = {
  name: "requests",
  full: (file) => servedBy(file)?.requests,
  least: ({ workload }) => Math.min(workload.batch, workload.requests ?? workload.batch),
  reduce: (file, size) =>
    size >= (file.workload.requests ?? 0) ? file : withServing(file, { requests: size }),
};

export const outputTokens: Dimension = {
  name: "output tokens",
  full: (file) => servedBy(file)?.outputTokens,
  least: ({ workload }) => Math.min(leastOutput, workload.outputTokens ?? leastOutput),
  reduce: (file, size) =>
    size >= (file.workload.outputTokens ?? 0) ? file : withServing(file, { outputTokens: size }),
  changesLayers: "requests are shorter",
};

export const inputTokens: Dimension = {
  name: "input tokens",
  full: (file) => servedBy(file)?.inputTokens,
  least: ({ workload }) => Math.min(leastInput, workload.inputTokens ?? leastInput),
  reduce: (file, size) =>
    size >= (file.workload.inputTokens ?? 0) ? file : withServing(file, { inputTokens: size }),
  changesLayers: "requests are shorter",
};
