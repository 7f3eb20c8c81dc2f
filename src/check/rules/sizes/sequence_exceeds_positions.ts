// A learned table has a row for each place of a sample.

import { fieldPath, nameOf } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";

const example = (count: number) =>
  degreesWith({
    workload: { sequence: 16 },
    model: { vocabulary: 12, positions: { kind: "learned", count } },
  });

const sequenceExceedsPositions: DiagnosticDefinition = {
  code: "sequence-exceeds-positions",
  severity: "error",
  title: "Sequence Exceeds Positions",
  requires: "A learned table has a row for each token of a sample.",
  examples: { bad: example(15), good: example(16) },
};

export const positionsReach: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [sequenceExceedsPositions],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op !== "embedding" || layer.positions === undefined) return [];
    const { count, offset = 0 } = layer.positions;
    const { sequence } = plan.workload;
    return offset + sequence <= count
      ? []
      : [
          report(
            sequenceExceedsPositions,
            fieldPath(plan, placed, "positions"),
            `samples of ${sequence} tokens need rows up to ${offset + sequence - 1} of the ${count} of ${nameOf(plan, placed)}`,
            `set workload.sequence to ${Math.max(1, count - offset)} or less`,
          ),
        ];
  }),
};
