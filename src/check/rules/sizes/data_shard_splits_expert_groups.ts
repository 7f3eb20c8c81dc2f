// A copy of the state has every expert as often as the others.

import { expertTensorOf, ranksPerStage } from "../../../plan/mesh.ts";
import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["parallel", "dataShard"];

const dataShardSplitsExpertGroups: DiagnosticDefinition = {
  code: "data-shard-splits-expert-groups",
  severity: "error",
  title: "Data Shard Splits Expert Groups",
  requires: "The ranks that hold one copy of the state form whole expert groups.",
  examples: {
    bad: degreesWith({
      hardware: { gpus: 12 },
      workload: { batch: 12 },
      parallel: { data: 6, expert: 6, zero: 3, dataShard: 2 },
    }),
    good: degreesWith({
      hardware: { gpus: 12 },
      workload: { batch: 12 },
      parallel: { data: 6, expert: 6, zero: 3, dataShard: 3 },
    }),
  },
  fix: leaveOut("all data replicas share the shards"),
};

export const copiesHoldWholeExpertGroups: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [dataShardSplitsExpertGroups],
  ofPlan: ({ degrees, model }) => {
    if (degrees?.dataShard === undefined || model?.moe === undefined) return [];
    const { data, dataShard, expert } = degrees;
    const ranks = ranksPerStage(degrees);
    const size = expert * expertTensorOf(degrees);
    const copies = data / dataShard;
    const ranksOfCopy = ranks / copies;
    // What divides neither is said by the rules on either.
    if (data % dataShard !== 0 || ranks % size !== 0 || ranksOfCopy % size === 0) return [];
    return [
      report(
        dataShardSplitsExpertGroups,
        path,
        `the ${ranksOfCopy} ranks that hold one copy of the state form no whole expert groups of ${size}`,
        `choose parallel.dataShard and parallel.expert so that a copy's ranks are a multiple of ${size}`,
      ),
    ];
  },
};
