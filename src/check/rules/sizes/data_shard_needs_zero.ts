// Groups share what ZeRO shards, so it must shard something.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["parallel", "dataShard"];

const dataShardNeedsZero: DiagnosticDefinition = {
  code: "data-shard-needs-zero",
  severity: "error",
  title: "Data Shard Needs Zero",
  requires: "Data ranks share shards where ZeRO shards something.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 4 }, parallel: { data: 2, dataShard: 1 } }),
    good: degreesWith({ hardware: { gpus: 4 }, parallel: { data: 2, zero: 1, dataShard: 1 } }),
  },
  fix: leaveOut("every data replica holds all of the state"),
};

export const dataShardHasZero: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [dataShardNeedsZero],
  ofPlan: ({ degrees }) =>
    degrees?.dataShard === undefined || (degrees.zero ?? 0) > 0
      ? []
      : [
          report(
            dataShardNeedsZero,
            path,
            `${degrees.dataShard} data ranks share what ZeRO shards, but parallel.zero ${degrees.zero === undefined ? "is not given" : "is 0"}`,
            "set parallel.zero to 1, 2 or 3, or leave parallel.dataShard out",
          ),
        ],
};
