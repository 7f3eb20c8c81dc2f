// Rules on mixtures of experts.

import { fieldPath, listed, nameOf, placedLayers } from "../layers.ts";
import { error, info, type Rule } from "./rule.ts";

/** Experts on each of `gpus` GPUs, as evenly as whole experts allow, the larger shares first. */
export const expertsPerGpu = (experts: number, gpus: number): number[] =>
  Array.from({ length: gpus }, (_, i) => Math.floor(experts / gpus) + (i < experts % gpus ? 1 : 0));

export const variance = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
};

/** Every expert GPU holds as many experts. */
export const expertDegreeDividesExperts: Rule = (plan) =>
  placedLayers(plan).flatMap((each) => {
    const { layer } = each;
    if (layer.op !== "moe" || layer.expertGpus.length === 0) return [];
    const { experts } = layer;
    const gpus = layer.expertGpus.length;
    const shares = expertsPerGpu(experts, gpus);
    const spread = Number(variance(shares).toPrecision(3));
    const path = fieldPath(plan, each, "experts");
    if (experts % gpus === 0) {
      return [
        info(
          "experts-balanced",
          path,
          `${experts} experts over ${gpus} GPUs: ${shares[0]} per GPU, variance 0`,
        ),
      ];
    }
    const shown = gpus > 8 ? `${listed(shares.slice(0, 8))}, …` : listed(shares);
    return [
      error(
        "experts-not-divisible",
        path,
        `${experts} experts of ${nameOf(plan, each)} leave ${experts % gpus} over on ${gpus} GPUs: ${shown} (variance ${spread})`,
        `use ${experts - (experts % gpus)} or ${experts - (experts % gpus) + gpus} experts, or another number of GPUs`,
      ),
    ];
  });

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

/** Expert groups that are not named are formed from a stage's data × tensor ranks. */
export const expertDegreeFitsRanks: Rule = (plan, written) => {
  const { degrees, model } = plan;
  if (degrees === undefined) return [];
  const { tensor, data, expert } = degrees;
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
  const ranks = tensor * data;
  if (ranks % expert === 0) return [];
  return [
    error(
      "expert-degree-does-not-fit-ranks",
      path,
      `expert parallelism of ${expert} cannot be formed from tensor ${tensor} × data ${data} = ${ranks} ranks per stage`,
      `choose a divisor of ${ranks}, or name the GPUs in parallel.expertGroup`,
    ),
  ];
};
