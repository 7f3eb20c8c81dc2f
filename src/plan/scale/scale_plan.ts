// A plan made smaller in some of its dimensions: a pure function of the plan as it was written.

import type { PlanFile } from "../schema.ts";
import { microBatches, samples, sequence } from "./batch.ts";
import type { Dimension } from "./dimension.ts";
import { experts } from "./experts.ts";
import { layers } from "./layers.ts";
import { inputTokens, outputTokens, requests } from "./requests.ts";
import { context, data, pipeline, tensor } from "./ranks.ts";
import { vocabulary } from "./vocabulary.ts";
import { width } from "./width.ts";

/**
 * In the order in which a plan is made smaller. First what leaves the work of a rank in a layer as it is: so long figures
 * per layer are the full plan's. Then what each kernel works on, and last how wide it is.
 */
export const dimensions: readonly Dimension[] = [
  requests,
  layers,
  microBatches,
  vocabulary,
  data,
  pipeline,
  outputTokens,
  samples,
  sequence,
  inputTokens,
  experts,
  context,
  tensor,
  width,
];

/** In the order in which what can stay is restored: what a layer is comes before how often something runs. */
export const restored: readonly Dimension[] = [
  width,
  experts,
  inputTokens,
  sequence,
  samples,
  outputTokens,
  context,
  tensor,
  vocabulary,
  pipeline,
  data,
  microBatches,
  layers,
  requests,
];

/** Those that leave fewer GPUs, in that order. */
export const rankDimensions: readonly Dimension[] = [data, context, pipeline, tensor];

/** What is left of each dimension that does not stay whole. */
export type Sizes = ReadonlyMap<Dimension, number>;

/** Ranks first: what divides the other sizes follows from them. */
const applied: readonly Dimension[] = [
  data,
  context,
  pipeline,
  tensor,
  width,
  experts,
  vocabulary,
  layers,
  microBatches,
  samples,
  sequence,
  inputTokens,
  outputTokens,
  requests,
];

/**
 * The plan with each dimension at its size, or at the next smaller one that divides as the full one did. The claims
 * are of the full plan, and do not stand in it.
 */
export function scalePlan(file: PlanFile, sizes: Sizes): PlanFile {
  const scaled = applied.reduce((before, dimension) => {
    const size = sizes.get(dimension);
    return size === undefined || dimension.full(before) === undefined
      ? before
      : dimension.reduce(before, size);
  }, file);
  if (scaled === file) return file;
  const { claims: _, ...rest } = scaled;
  return { ...rest, name: `${file.name}-fit` };
}
