// Rules on mixtures of experts.

import { fieldPath, listed, nameOf, placedLayers } from "../layers.ts";
import {
  contextOf,
  expertDegreesThatFit,
  expertShares,
  expertTensorOf,
  placedExperts,
  ranksPerStage,
} from "../mesh.ts";
import type { Degrees, MoeLayer } from "../plan.ts";
import { error, info, type Rule } from "./rule.ts";
import { notRunnable } from "./runnable.ts";

export const variance = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
};

/** Every member of an expert group holds as many experts. */
export const expertDegreeDividesExperts: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer } = each;
    const [group] = layer.op === "moe" ? layer.expertGroups : [];
    if (layer.op !== "moe" || group === undefined) return [];
    const experts = placedExperts(layer);
    const members = group.length;
    const shares = expertShares(experts, members);
    const spread = Number(variance(shares).toPrecision(3));
    const path = fieldPath(plan, each, "experts");
    if (experts % members === 0) {
      return [info("experts-balanced", path, `${placementOf(layer)}, variance 0`)];
    }
    const shown = members > 8 ? `${listed(shares.slice(0, 8))}, …` : listed(shares);
    return [
      error(
        "experts-not-divisible",
        path,
        `${experts} ${withCopies(layer)} of ${nameOf(plan, each)} leave ${experts % members} over on ${members} GPUs: ${shown} (variance ${spread})`,
        `use ${experts - (experts % members)} or ${experts - (experts % members) + members} experts, or another number of GPUs`,
      ),
    ];
  });

/** Who holds the experts, in a phrase: degree, slices, copies. */
const placementOf = (layer: MoeLayer): string => {
  const { expertGroups } = layer;
  const experts = placedExperts(layer);
  const held = withCopies(layer);
  const [group] = expertGroups;
  const members = group?.length ?? 1;
  const slices = group?.[0]?.length ?? 1;
  const gpus = members * slices;
  const sliced = slices === 1 ? "" : `, each sliced over ${slices} GPUs`;
  const copies = expertGroups.length === 1 ? "" : `, in ${expertGroups.length} groups`;
  return members === 1
    ? `all ${experts} ${held} on ${gpus === 1 ? "every GPU" : `every group of ${gpus} GPUs`}${sliced}${copies}`
    : `${experts} ${held} over ${gpus} GPUs: ${experts / members} per GPU${sliced}${copies}`;
};

const withCopies = ({ redundantExperts = 0 }: MoeLayer): string =>
  redundantExperts === 0 ? "experts" : `experts, ${redundantExperts} of them copies,`;

/** A token cannot go to more experts than there are. */
export const topKWithinExperts: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer } = each;
    return layer.op !== "moe" || layer.topK <= layer.experts
      ? []
      : [
          error(
            "top-k-over-experts",
            fieldPath(plan, each, "topK"),
            `every token goes to ${layer.topK} experts, but there are ${layer.experts}`,
            `set topK to ${layer.experts} or less`,
          ),
        ];
  });

/** Expert groups that are not named are folded from a stage's tensor × context × data ranks. */
export const expertDegreeFitsRanks: Rule = (plan, written) => {
  const { degrees, model } = plan;
  if (degrees === undefined) return [];
  const { expert } = degrees;
  const path = ["parallel", "expert"];
  if (model?.moe === undefined) {
    return expert === 1
      ? []
      : [
          error(
            "expert-degree-without-experts",
            path,
            `expert parallelism of ${expert}, but the model has no experts`,
            "give model.moe, or leave parallel.expert out",
          ),
        ];
  }
  const named = written?.parallel?.expertGroup;
  if (named !== undefined) {
    return named.length === expert
      ? [
          info(
            "expert-group-matches-degree",
            ["parallel", "expertGroup"],
            `expert parallelism of ${expert} has its ${expert} GPUs: ${listed(named)}`,
          ),
        ]
      : [
          error(
            "expert-degree-does-not-match-group",
            ["parallel", "expertGroup"],
            `expert parallelism of ${expert} needs exactly ${expert} GPUs, but ${named.length} are listed: ${listed(named)}`,
            `list ${expert} GPUs, or set expert to ${named.length}`,
          ),
        ];
  }
  const ranks = ranksPerStage(degrees);
  const slices = expertTensorOf(degrees);
  const isUnformed = placedLayers(plan).some(
    ({ layer }) => layer.op === "moe" && layer.expertGroups.length === 0,
  );
  if (!isUnformed) return [];
  const fitting = expertDegreesThatFit(degrees);
  const places = fitting.length === 0 ? "" : `choose one of ${listed(fitting)}, or `;
  return [
    error(
      "expert-degree-does-not-fit-ranks",
      path,
      `expert parallelism of ${expert}${slices === 1 ? "" : ` × expert-tensor ${slices}`} cannot be formed from ${rankProduct(degrees)} = ${ranks} ranks per stage`,
      `${places}name the GPUs in parallel.expertGroup`,
    ),
  ];
};

const rankProduct = (degrees: Degrees): string => {
  const context = contextOf(degrees);
  return `tensor ${degrees.tensor} × ${context === 1 ? "" : `context ${context} × `}data ${degrees.data}`;
};

/** Slices of an expert are on the tensor ranks of its tokens, which sum what the slices give. */
export const expertSlicesFollowTensor: Rule = ({ degrees, model }) => {
  if (degrees?.expertTensor === undefined || model?.moe === undefined) return [];
  const { expertTensor, tensor } = degrees;
  return expertTensor === 1 || expertTensor === tensor
    ? []
    : [
        error(
          "expert-tensor-differs-from-tensor",
          ["parallel", "expertTensor"],
          `experts are sliced over ${expertTensor} GPUs, but tensor is ${tensor}`,
          tensor === 1 ? "set it to 1" : `set it to 1 or to ${tensor}`,
        ),
      ];
};

/** A slice is a part of an expert's inner width. */
export const slicesDivideExperts: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer } = each;
    const slices = layer.op === "moe" ? (layer.expertGroups[0]?.[0]?.length ?? 1) : 1;
    if (layer.op !== "moe" || layer.ffn % slices === 0) return [];
    return [
      error(
        "slices-do-not-divide-expert-ffn",
        fieldPath(plan, each, "ffn"),
        `ffn ${layer.ffn} of each expert leaves ${layer.ffn % slices} over when sliced over ${slices} GPUs`,
        `make it a multiple of ${slices}, or give parallel.expert so that GPUs hold whole experts`,
      ),
    ];
  });

/** Each expert group counts its own tokens against the capacity, which the unsharded run cannot repeat. */
export const capacityHasOneGroup: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer } = each;
    if (layer.op !== "moe" || layer.capacityFactor === undefined || layer.expertGroups.length < 2) {
      return [];
    }
    return [
      notRunnable(
        fieldPath(plan, each, "capacityFactor"),
        `a capacity of ${layer.expertGroups.length} expert groups, each counting its own tokens, cannot run yet`,
        "leave capacityFactor out, or use one expert group",
      ),
    ];
  });
