// Do the splits of layers have the GPUs that they need, and do they fit the layers?

import { assumedAmong } from "../../plan/assumed.ts";
import { groupSize, usedGpus } from "../../plan/layers.ts";
import type { Groups } from "../../plan/groups.ts";
import type { LayerBase, Share } from "../../plan/layers/layer.ts";
import { planLayerOf } from "../../plan/layers/layers.ts";
import type { Plan } from "../../plan/plan.ts";
import { tensorGroupMatchesDegree } from "../rules/splits/tensor_degree_does_not_match_group.ts";
import { rangesOf } from "../../program/runs_of_ranks.ts";
import type { Assess } from "./aspect.ts";

/** More lists than a line takes are counted. */
const mostLists = 4;

/** The lists of GPUs that layers are split over. A plan that names a GPU twice, or one that is not there, is refused before. */
export const tensorSplitDevices: Assess = ({ described: { plan }, diagnostics }) => {
  const lists = tensorLists(plan);
  // A group that the plan names has a rule of its own.
  if (lists.length === 0 || diagnostics.some(({ code }) => code === tensorGroupMatchesDegree.code))
    return [];
  const shown =
    lists.length > mostLists
      ? `${lists.length} groups of ${lists[0]?.length} GPUs`
      : lists.map((list) => `[${rangesOf(list)}]`).join(", ");
  return [
    {
      title: "Tensor Split Devices",
      judgement: "held",
      why: `layers are split over ${shown}, each of distinct GPUs that exist`,
      leansOn: assumedAmong(plan, ["parallel.tensorGroup", "tensor_parallel_distribution"]),
      codes: [],
    },
  ];
};

function tensorLists({ stages }: Plan): (readonly number[])[] {
  const lists = new Set<Groups>();
  for (const { layers } of stages) for (const { groups } of layers) lists.add(groups);
  const distinct = new Map<string, readonly number[]>();
  for (const group of [...lists].flat()) if (group.length > 1) distinct.set(group.join(), group);
  return [...distinct.values()];
}

/** Expert parallelism takes all GPUs, or leaves some without work. */
export const hardwareMatch: Assess = ({ described: { plan } }) => {
  const { degrees, hardware } = plan;
  if (degrees === undefined || degrees.expert === 1) return [];
  const holders = new Set(
    plan.stages.flatMap(({ layers }) =>
      layers.flatMap(({ expertGroups = [] }: LayerBase) => expertGroups.flat(2)),
    ),
  ).size;
  return [
    {
      title: "Hardware Match",
      judgement: usedGpus(plan).length === hardware.gpus ? "held" : "contradicted",
      why: `expert parallelism of ${degrees.expert} puts experts on ${holders} of ${hardware.gpus} GPUs`,
      leansOn: assumedAmong(plan, ["hardware.gpus", "parallel.expert", "parallel.expertGroup"]),
      codes: [],
    },
  ];
};

const splitWords: Readonly<Partial<Record<Share, string>>> = {
  columns: "by columns",
  rows: "by rows, which leaves partial sums",
  heads: "by heads, which leaves partial sums",
  inner: "by inner width, which leaves partial sums",
};

/** Which layers are split how. That each has the communication it needs, rules have checked before. */
export const tensorStrategy: Assess = ({ described: { plan } }) => {
  const kinds = new Map<string, Set<string>>();
  for (const { name, layers } of plan.stages) {
    for (const layer of layers) {
      const { share, leaves } = planLayerOf(layer);
      const words = splitWords[share(layer)];
      const isSplit = groupSize(layer) > 1 && leaves(layer).placement !== "replicate";
      if (!isSplit || words === undefined) continue;
      const what = `${layer.op} ${words}`;
      kinds.set(what, (kinds.get(what) ?? new Set()).add(name));
    }
  }
  if (kinds.size === 0) return [];
  const where = (stages: ReadonlySet<string>): string =>
    plan.model !== undefined ? "" : ` (${[...stages].slice(0, mostLists).join(", ")})`;
  const list = [...kinds].map(([what, stages]) => `${what}${where(stages)}`);
  return [
    {
      title: "Tensor Parallel Strategy",
      judgement: "held",
      why: `${list.join("; ")}: each kind of layer is split in a way that gives the unsplit result`,
      leansOn: assumedAmong(
        plan,
        plan.stages.flatMap(({ layers }, s) => layers.map((_, l) => `stages.${s}.layers.${l}.op`)),
      ),
      codes: [],
    },
  ];
};
