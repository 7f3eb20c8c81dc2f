// A GPU holds one shard of what a list of GPUs shares.

import { columnLayer, layersWith, stagesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLists } from "./written_lists.ts";

const gpuListedTwice: DiagnosticDefinition = {
  code: "gpu-listed-twice",
  severity: "error",
  title: "GPU Listed Twice",
  requires: "A list names each GPU once: a GPU holds one shard.",
  examples: {
    bad: layersWith({ a: [{ ...columnLayer, parallel: { kind: "column", gpus: [0, 1, 1] } }] }),
    good: stagesWith(),
  },
  fix: leaveOut("the GPU is named once"),
};

export const gpusListedOnce: RuleDefinition = {
  chapter: "splits",
  diagnostics: [gpuListedTwice],
  ofPlan: (_plan, written) => {
    if (written === undefined) return [];
    return writtenLists(written).flatMap(({ path, gpus }) => {
      const seen = new Set<number>();
      return gpus.flatMap((id, i) =>
        seen.size < seen.add(id).size
          ? []
          : [
              report(
                gpuListedTwice,
                [...path, i],
                `GPU ${id} stands twice in one list`,
                "a GPU holds one shard: name each once",
              ),
            ],
      );
    });
  },
};
