// Parameters and FLOPs of a model.

import { formatFlops, formatParameters } from "../../measure/format.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { fields, note, type Section } from "../section.ts";

/** Of the labels. */
const width = 12;

/** @param leftOut what the model does and the program does not, in phrases */
export function modelCostSection(
  { parameters, modelFlops, batch, tokens }: PlanEstimate,
  leftOut: readonly string[],
): Section {
  const { total, active, inProgram, source, notStated } = parameters;
  const per = tokens === batch ? "sample" : "token";
  const counted =
    `${formatParameters(total)}, active ${formatParameters(active)} ` +
    `(counted from the ${source === "model" ? "model's description" : "program's weights"})`;
  return {
    title: "Model",
    blocks: [
      notStated === undefined
        ? fields([["parameters", counted]], width)
        : note(`parameters not stated: ${notStated}`, "doubtful"),
      fields(
        [
          ...(inProgram === total
            ? []
            : [
                [
                  "",
                  `of which the program, unsharded, holds ${formatParameters(inProgram)}`,
                ] as const,
              ]),
          [
            "FLOPs",
            `${formatFlops(modelFlops)} per step, ${formatFlops(modelFlops / tokens)} per ${per}`,
          ],
        ],
        width,
      ),
      ...(leftOut.length === 0
        ? []
        : [note(`not counted, as no layer does it yet: ${leftOut.join("; ")}`, "doubtful")]),
    ],
  };
}
