// One GPU sends a broadcast.

import { valueAt } from "../../../plan/document.ts";
import { gatherToB, reduceToC, sendToB, stagesWith, twoStages } from "../../example.ts";
import { setCommunication } from "../../repair/communication.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const broadcastNeedsOneSource: DiagnosticDefinition = {
  code: "broadcast-needs-one-source",
  severity: "error",
  title: "Broadcast Needs One Source",
  requires: "A broadcast has one source.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, op: "broadcast" }, reduceToC] }),
    good: twoStages({ ...sendToB, op: "broadcast" }),
  },
  fix: (faulty, { path }) => {
    const from = valueAt(faulty.value, path);
    return [
      setCommunication(
        faulty,
        [...path.slice(0, 2), "op"],
        "send",
        "the communication is now a send",
      ),
      ...(Array.isArray(from)
        ? [setCommunication(faulty, path, from.slice(0, 1), "one GPU sends")]
        : []),
    ];
  },
};

export const broadcastHasOneSource: RuleDefinition = {
  chapter: "splits",
  diagnostics: [broadcastNeedsOneSource],
  ofPlan: (plan) =>
    plan.communications.flatMap(({ op, name, from }, i) =>
      op !== "broadcast" || from.length === 1
        ? []
        : [
            report(
              broadcastNeedsOneSource,
              ["communications", i, "from"],
              `${name} is a broadcast from ${from.length} GPUs; it has one source`,
              "name the one GPU that sends, or use send, which goes pairwise",
            ),
          ],
    ),
};
