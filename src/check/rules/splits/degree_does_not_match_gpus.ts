// `degree` and the number of GPUs in each list are the same.

import { listed } from "../../../plan/layers.ts";
import { isGrouped } from "../../../plan/layers/parallel.ts";
import { columnLayer, layersWith } from "../../example.ts";
import { type Fix, setNumber } from "../../repair/fix.ts";
import { layerAt, withGpus } from "../../repair/layer_at.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLayers } from "./written_layers.ts";

const degreeDiffers: Fix = (faulty, { path }) => {
  const parallel = layerAt(faulty, path)?.parallel;
  if (parallel?.degree === undefined || isGrouped(parallel.gpus)) return [];
  const { degree, gpus } = parallel;
  return [
    ...(gpus.length > degree
      ? [
          withGpus(
            faulty,
            path,
            gpus.slice(0, degree),
            `GPU ${gpus.slice(degree).join(", ")} is left out`,
          ),
        ]
      : []),
    setNumber(faulty, [...path.slice(0, -1), "degree"], gpus.length, "the list decides"),
  ];
};

const degreeDoesNotMatchGpus: DiagnosticDefinition = {
  code: "degree-does-not-match-gpus",
  severity: "error",
  title: "Degree Does Not Match Gpus",
  requires: "A stated degree is the number of GPUs listed.",
  examples: {
    bad: layersWith({
      a: [{ ...columnLayer, parallel: { kind: "column", degree: 3, gpus: [0, 1] } }],
    }),
    good: layersWith({
      a: [{ ...columnLayer, parallel: { kind: "column", degree: 2, gpus: [0, 1] } }],
    }),
  },
  fix: degreeDiffers,
};

export const degreeMatchesGpus: RuleDefinition = {
  chapter: "splits",
  diagnostics: [degreeDoesNotMatchGpus],
  ofPlan: (_plan, written) =>
    writtenLayers(written).flatMap(({ parallel, path }) => {
      const { degree, gpus } = parallel;
      if (degree === undefined) return [];
      const lists = isGrouped(gpus) ? gpus : [gpus];
      const wrong = lists.find(({ length }) => length !== degree);
      return wrong === undefined
        ? []
        : [
            report(
              degreeDoesNotMatchGpus,
              [...path, "gpus"],
              `degree ${degree} needs exactly ${degree} GPUs, ${wrong.length} are listed: ${listed(wrong)}`,
              `list ${degree} GPUs, or set degree to ${wrong.length}`,
            ),
          ];
    }),
};
