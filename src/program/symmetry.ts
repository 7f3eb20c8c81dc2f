// Data replicas that do the same: of a plan written with degrees, one set of replicas that depend on each other
// stands for all, so that thousands of ranks are counted as fast as a few.

import { onGpus } from "../plan/layers.ts";
import { contextOf, expertTensorOf } from "../plan/mesh.ts";
import type { Degrees, Plan, Workload } from "../plan/plan.ts";
import type { Layer } from "../plan/layers/layers.ts";
import type { ExpertGroup, Groups } from "../plan/groups.ts";

export interface Symmetry {
  /** The plan of one set of replicas, with their share of the batch, which may be a part of a sample. */
  readonly plan: Plan;
  /** How many such sets there are. */
  readonly copies: number;
  /** The rank of `plan` that does what that rank of the whole plan does; undefined for one that does nothing. */
  readonly standsFor: (rank: number) => number | undefined;
  /** The rank of the whole plan that does in that copy what a rank of `plan` does. */
  readonly inCopy: (rank: number, copy: number) => number;
}

/** Every rank stands for itself. */
export function itself(plan: Plan): Symmetry {
  return {
    plan,
    copies: 1,
    standsFor: (rank) => rank,
    inCopy: (rank) => rank,
  };
}

/** Of a plan whose replicas have unlike numbers of samples, the plan itself. */
export function oneOfAlike(plan: Plan): Symmetry {
  const { degrees } = plan;
  if (degrees === undefined) return itself(plan);
  const { tensor, pipeline } = degrees;
  const replicas = degrees.data * contextOf(degrees);
  const unit = replicasThatDepend(degrees);
  const samples = plan.workload.batch / plan.workload.microBatches;
  const { phase } = plan.workload;
  const slots = (phase?.slots ?? 0) / plan.workload.microBatches;
  const areAlike = samples % degrees.data === 0 && slots % degrees.data === 0;
  if (!areAlike || unit >= replicas || replicas % unit !== 0) return itself(plan);
  const copies = replicas / unit;
  const whole = replicas * tensor;
  const own = unit * tensor;
  const renumber = (rank: number): number => Math.floor(rank / whole) * own + (rank % whole);
  return {
    plan: {
      ...plan,
      hardware: { ...plan.hardware, gpus: pipeline * own },
      workload: shareOf(plan.workload, copies),
      degrees: { ...degrees, data: degrees.data / copies },
      stages: plan.stages.map((stage) => ({
        ...stage,
        layers: firstOf(stage.layers, unit, (rank) => rank % whole < own, renumber),
      })),
    },
    copies,
    standsFor: (rank) =>
      rank < pipeline * whole ? Math.floor(rank / whole) * own + ((rank % whole) % own) : undefined,
    inCopy: (rank, copy) => Math.floor(rank / own) * whole + copy * own + (rank % own),
  };
}

function shareOf(workload: Workload, copies: number): Workload {
  const { batch, phase } = workload;
  return {
    ...workload,
    batch: batch / copies,
    ...(phase === undefined ? {} : { phase: { ...phase, slots: phase.slots / copies } }),
  };
}

/** Consecutive replicas that exchange tokens of experts, or keys and values of a sequence. */
function replicasThatDepend(degrees: Degrees): number {
  const { tensor, expert } = degrees;
  const expertRanks = expert * expertTensorOf(degrees);
  return leastCommonMultiple(leastCommonMultiple(expertRanks, tensor) / tensor, contextOf(degrees));
}

function leastCommonMultiple(a: number, b: number): number {
  let [large, small] = [a, b];
  while (small > 0) [large, small] = [small, large % small];
  return (a * b) / large;
}

/** Layers of a stage share their lists, and so do these. */
function firstOf(
  layers: readonly Layer[],
  unit: number,
  isOwn: (rank: number) => boolean,
  renumber: (rank: number) => number,
): Layer[] {
  const groupLists = new Map<Groups, Groups>();
  const expertLists = new Map<readonly ExpertGroup[], readonly ExpertGroup[]>();
  const groupsOf = (groups: Groups): Groups => {
    const known =
      groupLists.get(groups) ?? groups.slice(0, unit).map((group) => group.map(renumber));
    groupLists.set(groups, known);
    return known;
  };
  const expertsOf = (groups: readonly ExpertGroup[]): readonly ExpertGroup[] => {
    const known =
      expertLists.get(groups) ??
      groups
        .filter((group) => isOwn(group[0]?.[0] ?? 0))
        .map((group) => group.map((member) => member.map(renumber)));
    expertLists.set(groups, known);
    return known;
  };
  return layers.map((layer) => onGpus(layer, groupsOf, expertsOf));
}
