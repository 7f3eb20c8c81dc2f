// Sizes of layers that their group of GPUs must divide.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import {
  fieldPath,
  groupSize,
  nameOf,
  type PlacedLayer,
  placedLayers,
} from "../../../plan/layers.ts";
import type { Plan } from "../../../plan/plan.ts";
import { type DiagnosticDefinition, report } from "../../rule.ts";

export function perLayer(
  judge: (plan: Plan, placed: PlacedLayer) => Diagnostic[],
): (plan: Plan) => Diagnostic[] {
  return (plan) => placedLayers(plan).flatMap((placed) => judge(plan, placed));
}

export function divides(
  plan: Plan,
  placed: PlacedLayer,
  definition: DiagnosticDefinition,
  field: string,
  size: number,
): Diagnostic[] {
  const parts = groupSize(placed.layer);
  const rest = size % parts;
  return rest === 0
    ? []
    : [
        report(
          definition,
          fieldPath(plan, placed, field),
          `${field} ${size} of ${nameOf(plan, placed)} leaves ${rest} over when split across ${parts} GPUs`,
          `make ${field} a multiple of ${parts}, or choose a tensor group that divides it`,
        ),
      ];
}
