// Which rank stands where in the mesh of degrees, and which ranks of a pipeline stage hold which experts: the
// one answer that lowering, estimate, rules, claims and importers share.
//
// Ranks are numbered as Megatron-LM does by default: tensor fastest, then context, data, pipeline. The ranks of
// a stage, in that order, fold into expert-tensor · expert · expert-data ranks (Megatron-LM's parallel folding):
// expert-tensor · expert consecutive ranks form one expert group, which holds every expert once.

import { listedGpus } from "./distribution.ts";
import type { Degrees, Model } from "./plan.ts";
import type { ExpertGroup, Groups } from "./groups.ts";
import type { MoeLayer } from "./layers/moe.ts";
import type { PlanFile } from "./schema.ts";

/** Where the layers of one pipeline rank run. */
export interface StageMesh {
  /** One tensor group per data replica and context rank, context ranks of a replica side by side. */
  readonly groups: Groups;
  /** Empty where expert groups cannot be formed; a rule says why. */
  readonly expertGroups: readonly ExpertGroup[];
}

/** The tensor group that the plan names in so many words, if any. */
export function namedTensorGroup(file: PlanFile): readonly number[] | undefined {
  if (file.parallel?.tensorGroup !== undefined) return file.parallel.tensorGroup;
  const distribution = file.tensor_parallel_distribution;
  const listed = distribution === undefined ? [] : listedGpus(distribution);
  return listed.length > 0 ? listed : undefined;
}

/** Ranks that share each sequence. */
export function contextOf({ context = 1 }: Pick<Degrees, "context">): number {
  return context;
}

/** Copies of what ZeRO shards, each shared by as many ranks: 1 unless the plan shards within groups. */
export function stateCopies({
  data,
  dataShard = data,
}: Pick<Degrees, "data" | "dataShard">): number {
  return Math.max(1, data / dataShard);
}

/** tensor · context · data: the ranks of one pipeline stage. */
export function ranksPerStage(degrees: Degrees): number {
  return degrees.tensor * contextOf(degrees) * degrees.data;
}

/** tensor · context · data · pipeline. */
export function worldOf(degrees: Degrees): number {
  return ranksPerStage(degrees) * degrees.pipeline;
}

/** Ranks that hold slices of the same experts: as the plan says, else 1 with expert parallelism and all tensor ranks without. */
export function expertTensorOf({ expert, tensor, expertTensor }: Degrees): number {
  return expertTensor ?? (expert > 1 ? 1 : tensor);
}

export function stageMesh(file: PlanFile, degrees: Degrees, pipelineIndex: number): StageMesh {
  const { tensor } = degrees;
  const perStage = ranksPerStage(degrees);
  // Groups are named for the whole plan, so they place ranks only where there is one tensor group.
  const isSingleGroup = perStage * degrees.pipeline === tensor;
  const named = isSingleGroup ? namedTensorGroup(file) : undefined;
  const first = pipelineIndex * perStage;
  // A list longer than the degree is an error that a rule reports; the degree decides meanwhile.
  const groups = named === undefined ? inParts(first, perStage, tensor) : [named.slice(0, tensor)];
  const listed = groups.flat();
  const ranks = listed.length === perStage ? listed : inParts(first, perStage, perStage).flat();
  const holders = isSingleGroup ? file.parallel?.expertGroup : undefined;
  return {
    groups,
    expertGroups:
      holders === undefined ? foldedGroups(degrees, ranks) : [holders.map((gpu) => [gpu])],
  };
}

/** Consecutive numbers in lists of `size`. */
function inParts(first: number, count: number, size: number): number[][] {
  return Array.from({ length: count / size }, (_, part) =>
    Array.from({ length: size }, (_unused, i) => first + part * size + i),
  );
}

function foldedGroups(degrees: Degrees, ranks: readonly number[]): ExpertGroup[] {
  const expertTensor = expertTensorOf(degrees);
  const size = expertTensor * degrees.expert;
  if (ranks.length % size !== 0) return [];
  return Array.from({ length: ranks.length / size }, (_, group) =>
    Array.from({ length: degrees.expert }, (_unused, member) => {
      const start = group * size + member * expertTensor;
      return ranks.slice(start, start + expertTensor);
    }),
  );
}

/** Whether every size that tensor parallelism splits can be split in `parts`. */
export function tensorDegreeFits(model: Model, parts: number): boolean {
  return (
    model.heads % parts === 0 &&
    (model.kvHeads % parts === 0 || parts % model.kvHeads === 0) &&
    (model.gatedDelta?.keyHeads ?? 0) % parts === 0 &&
    model.ffn % parts === 0
  );
}

/** Expert degrees that fold the ranks of a stage evenly, with the expert-tensor degree as it is. */
export function expertDegreesThatFit(degrees: Degrees): number[] {
  const places = ranksPerStage(degrees) / (degrees.expertTensor ?? 1);
  return Array.from({ length: Math.floor(places) }, (_, i) => i + 1).filter(
    (expert) => places % expert === 0,
  );
}

/** Experts that a group holds, with the copies that even out its load. */
export function placedExperts({
  experts,
  redundantExperts = 0,
}: Pick<MoeLayer, "experts" | "redundantExperts">): number {
  return experts + redundantExperts;
}

/** How many experts each member of a group holds, the larger shares first: as even as whole experts allow. */
export function expertShares(experts: number, members: number): number[] {
  return Array.from(
    { length: members },
    (_, i) => Math.floor(experts / members) + (i < experts % members ? 1 : 0),
  );
}
