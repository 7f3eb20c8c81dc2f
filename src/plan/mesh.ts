// Which rank stands where in the mesh of degrees: tensor fastest, then data, then pipeline.

import { listedGpus } from "./distribution.ts";
import type { Degrees, Groups } from "./plan.ts";
import type { PlanFile } from "./schema.ts";

/** rank = (pipelineIndex · data + dataIndex) · tensor + tensorIndex. */
export const rankAt = (
  { tensor, data }: Degrees,
  pipelineIndex: number,
  dataIndex: number,
  tensorIndex: number,
): number => (pipelineIndex * data + dataIndex) * tensor + tensorIndex;

/** The tensor group that the plan names in so many words, if any. */
export const namedTensorGroup = (file: PlanFile): readonly number[] | undefined => {
  if (file.parallel?.tensorGroup !== undefined) return file.parallel.tensorGroup;
  const distribution = file.tensor_parallel_distribution;
  const listed = distribution === undefined ? [] : listedGpus(distribution);
  return listed.length > 0 ? listed : undefined;
};

/** Groups are named for the whole plan, so they place ranks only where there is one tensor group. */
const isSingleGroup = ({ pipeline, data }: Degrees): boolean => pipeline === 1 && data === 1;

/** The tensor groups of one pipeline rank, one per data replica. */
export const replicaGroups = (file: PlanFile, degrees: Degrees, pipelineIndex: number): Groups => {
  const named = isSingleGroup(degrees) ? namedTensorGroup(file) : undefined;
  // A list longer than the degree is an error that a rule reports; the degree decides meanwhile.
  if (named !== undefined) return [named.slice(0, degrees.tensor)];
  return Array.from({ length: degrees.data }, (_, d) =>
    Array.from({ length: degrees.tensor }, (_unused, t) => rankAt(degrees, pipelineIndex, d, t)),
  );
};

/** The GPUs that hold a stage's experts: those named, else the first of its ranks. */
export const expertGpusOf = (
  file: PlanFile,
  degrees: Degrees,
  pipelineIndex: number,
): readonly number[] => {
  const named = isSingleGroup(degrees) ? file.parallel?.expertGroup : undefined;
  return named ?? replicaGroups(file, degrees, pipelineIndex).flat().slice(0, degrees.expert);
};
