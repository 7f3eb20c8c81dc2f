// Rules on state that groups of data replicas share, each group with a copy (HSDP).

import { expertTensorOf, ranksPerStage } from "../mesh.ts";
import { error, type Rule } from "./rule.ts";

const path = ["parallel", "dataShard"];

/** Every group has as many data ranks. */
export const dataShardDividesData: Rule = ({ degrees }) => {
  const { data = 1, dataShard = data } = degrees ?? {};
  const rest = data % dataShard;
  if (rest === 0) return [];
  return [
    error(
      "data-shard-does-not-divide-data",
      path,
      `data ${data} leaves ${rest} over in groups of ${dataShard} that share the shards`,
      "choose a divisor of parallel.data, or leave parallel.dataShard out to shard over all replicas",
    ),
  ];
};

/** Groups share what ZeRO shards, so it must shard something. */
export const dataShardNeedsZero: Rule = ({ degrees }) =>
  degrees?.dataShard === undefined || (degrees.zero ?? 0) > 0
    ? []
    : [
        error(
          "data-shard-needs-zero",
          path,
          `${degrees.dataShard} data ranks share what ZeRO shards, but parallel.zero ${degrees.zero === undefined ? "is not given" : "is 0"}`,
          "set parallel.zero to 1, 2 or 3, or leave parallel.dataShard out",
        ),
      ];

/** A copy of the state has every expert as often as the others. */
export const copiesHoldWholeExpertGroups: Rule = ({ degrees, model }) => {
  if (degrees?.dataShard === undefined || model?.moe === undefined) return [];
  const { data, dataShard, expert } = degrees;
  const ranks = ranksPerStage(degrees);
  const size = expert * expertTensorOf(degrees);
  const copies = data / dataShard;
  const ranksOfCopy = ranks / copies;
  // What divides neither is said by the rules on either.
  if (data % dataShard !== 0 || ranks % size !== 0 || ranksOfCopy % size === 0) return [];
  return [
    error(
      "data-shard-splits-expert-groups",
      path,
      `the ${ranksOfCopy} ranks that hold one copy of the state form no whole expert groups of ${size}`,
      `choose parallel.dataShard and parallel.expert so that a copy's ranks are a multiple of ${size}`,
    ),
  ];
};
