// Every GPU id that is named exists: ids run from 0 to gpus − 1.

import { stagesWith } from "../../example.ts";
import { drop, type Fix, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLists } from "./written_lists.ts";

const otherGpu: Fix<{ readonly gpu: number }> = (faulty, { path }, { gpu: id }) => {
  const gpus = faulty.plan?.hardware.gpus ?? 0;
  return [
    setNumber(faulty, ["hardware", "gpus"], id + 1, `${id + 1 - gpus} more GPUs are needed`),
    ...(typeof path.at(-1) === "number"
      ? [
          ...Array.from({ length: Math.min(gpus, 8) }, (_, other) =>
            setNumber(faulty, path, other, `GPU ${other} takes the place of GPU ${id}`),
          ),
          {
            patch: [drop(path)],
            description: `GPU ${id} is left out`,
            consequence: "the group is smaller by one",
          },
        ]
      : []),
  ];
};

const gpuNotAvailable: DiagnosticDefinition<{ readonly gpu: number }> = {
  code: "gpu-not-available",
  severity: "error",
  title: "GPU Not Available",
  requires: "GPU ids run from 0 to gpus − 1.",
  examples: {
    bad: stagesWith({ hardware: { gpus: 2 } }),
    good: stagesWith(),
  },
  fix: otherGpu,
};

const gpuIdsValid: DiagnosticDefinition = {
  code: "gpu-ids-valid",
  severity: "info",
  title: "GPU Allocation",
  requires: "Confirms that every GPU that is named exists.",
  examples: {
    bad: stagesWith(),
    good: stagesWith({ hardware: { gpus: 2 } }),
  },
  section: "hardware",
};

export const gpuIdsExist: RuleDefinition = {
  chapter: "splits",
  diagnostics: [gpuNotAvailable, gpuIdsValid],
  ofPlan: ({ hardware: { gpus } }, written) => {
    if (written === undefined) return [];
    const lists = writtenLists(written);
    const faults = lists.flatMap(({ path, gpus: ids }) =>
      ids.flatMap((id, i) =>
        id < gpus
          ? []
          : [
              report(
                gpuNotAvailable,
                path[0] === "tensor_parallel_distribution" ? path : [...path, i],
                `GPU ${id} is named, but there are ${gpus} GPUs: 0 to ${gpus - 1}`,
                `name a GPU from 0 to ${gpus - 1}, or raise hardware.gpus to ${id + 1}`,
                { gpu: id },
              ),
            ],
      ),
    );
    if (faults.length > 0 || lists.length === 0) return faults;
    return [
      report(
        gpuIdsValid,
        ["hardware", "gpus"],
        `every stage, split and communication names GPUs from 0 to ${gpus - 1}`,
      ),
    ];
  },
};
