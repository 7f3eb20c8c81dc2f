// The last communication before a stage brings the result to every GPU that needs it, as it needs it.

import type { Diagnostic } from "../../../../plan/diagnostic.ts";
import { valueAt } from "../../../../plan/document.ts";
import { groupSize, listed } from "../../../../plan/layers.ts";
import type { Layer } from "../../../../plan/layers/layers.ts";
import type { Stage } from "../../../../plan/plan.ts";
import { gatherToB, reduceToC, stagesWith } from "../../../example.ts";
import { setCommunication } from "../../../repair/communication.ts";
import { type DiagnosticDefinition, report } from "../../../rule.ts";
import type { StageResult } from "./value.ts";

interface Missed {
  readonly missed: readonly number[];
}

export const communicationMissesGpu: DiagnosticDefinition<Missed> = {
  code: "communication-misses-gpu",
  severity: "error",
  title: "Communication Misses GPU",
  requires:
    "A communication reaches every GPU of the next layer: no rank waits for what nobody sends.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, to: [1] }, reduceToC] }),
    good: stagesWith(),
  },
  fix: (faulty, { path }, { missed }) => {
    const before = valueAt(faulty.value, path);
    if (!Array.isArray(before)) return [];
    const to: unknown[] = [...before, ...missed];
    return [setCommunication(faulty, path, to, `it also goes to GPU ${missed.join(", ")}`)];
  },
};

export const rowsNotGathered: DiagnosticDefinition = {
  code: "rows-not-gathered",
  severity: "error",
  title: "Rows Not Gathered",
  requires: "Rows that a communication leaves divided are what the next layer takes.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, op: "all-to-all" }, reduceToC] }),
    good: stagesWith(),
  },
  fix: (faulty, { path }) => [
    setCommunication(faulty, path, "all-reduce", "the communication is now an all-reduce"),
    setCommunication(faulty, path, "all-gather", "the communication is now an all-gather"),
  ],
};

export function arrivalFaults(
  value: StageResult,
  index: number,
  name: string,
  next: Stage,
  first: Layer,
): Diagnostic[] {
  const arrived = value.groups.flat();
  const path = ["communications", index];
  const missed = [...new Set(first.groups.flat())].filter((gpu) => !arrived.includes(gpu));
  if (missed.length > 0) {
    return [
      report(
        communicationMissesGpu,
        [...path, "to"],
        `stage ${JSON.stringify(next.name)} also needs its input on GPU ${listed(missed)}, where ${name} does not go`,
        "add it to the list",
        { missed },
      ),
    ];
  }
  const staysDivided = groupSize(first) === 1 && first.groups.length === arrived.length;
  return value.placement !== "rows" || staysDivided
    ? []
    : [
        report(
          rowsNotGathered,
          [...path, "op"],
          `${name} leaves each GPU some of the rows, but the first layer of stage ${JSON.stringify(next.name)} needs all of them`,
          "follow with an all-gather, or make that layer data-parallel over these GPUs",
        ),
      ];
}
