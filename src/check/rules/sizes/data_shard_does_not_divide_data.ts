// Every group has as many data ranks.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["parallel", "dataShard"];

const dataShardDoesNotDivideData: DiagnosticDefinition = {
  code: "data-shard-does-not-divide-data",
  severity: "error",
  title: "Data Shard Does Not Divide Data",
  requires: "Groups of data ranks that share the shards (HSDP) divide the data degree.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 8 }, parallel: { data: 4, zero: 3, dataShard: 3 } }),
    good: degreesWith({ hardware: { gpus: 8 }, parallel: { data: 4, zero: 3, dataShard: 2 } }),
  },
  fix: leaveOut("all data replicas share the shards"),
};

export const dataShardDividesData: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [dataShardDoesNotDivideData],
  ofPlan: ({ degrees }) => {
    const { data = 1, dataShard = data } = degrees ?? {};
    const rest = data % dataShard;
    if (rest === 0) return [];
    return [
      report(
        dataShardDoesNotDivideData,
        path,
        `data ${data} leaves ${rest} over in groups of ${dataShard} that share the shards`,
        "choose a divisor of parallel.data, or leave parallel.dataShard out to shard over all replicas",
      ),
    ];
  },
};
