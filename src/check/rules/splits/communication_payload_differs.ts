// What moves is what the stage before leaves and the stage after takes: rows × columns × bytes each.

import { valueBytes } from "../../../program/key_value_cache.ts";
import { type PlacedLayer, placedLayers } from "../../../plan/layers.ts";
import { bytesText } from "../../../plan/quantity.ts";
import { gatherToB, reduceToC, stagesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const communicationPayloadFits: DiagnosticDefinition = {
  code: "communication-payload-fits",
  severity: "info",
  title: "Communication Payload",
  requires: "Confirms a stated payload.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, payload: 144 }, reduceToC] }),
    good: stagesWith(),
  },
  section: "model",
};

const communicationPayloadDiffers: DiagnosticDefinition = {
  code: "communication-payload-differs",
  severity: "error",
  title: "Communication Payload Differs",
  requires: "A stated payload is rows × columns × bytes of one micro-batch.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, payload: 100 }, reduceToC] }),
    good: stagesWith({ communications: [{ ...gatherToB, payload: 144 }, reduceToC] }),
  },
  fix: leaveOut("the payload follows from the layers"),
};

export const payloadIsWhatIsHeld: RuleDefinition = {
  chapter: "splits",
  diagnostics: [communicationPayloadFits, communicationPayloadDiffers],
  ofPlan: (plan) => {
    const bytes = valueBytes(plan);
    const lastOfStage = new Map<number, PlacedLayer>();
    for (const placed of placedLayers(plan)) lastOfStage.set(placed.stageIndex, placed);
    return plan.communications.flatMap(({ name, after, payload }, i) => {
      const last = lastOfStage.get(after);
      if (payload === undefined || last === undefined) return [];
      const held = sizeOf(last.outputRows, last.outputWidth, bytes);
      if (held === undefined) return [];
      const path = ["communications", i, "payload"];
      const shown = `${last.outputRows} × ${last.outputWidth} values of ${bytes} bytes`;
      return payload === held
        ? [report(communicationPayloadFits, path, `${name} moves ${shown}: ${bytesText(held)}`)]
        : [
            report(
              communicationPayloadDiffers,
              path,
              `${name} is said to move ${payload} bytes, but stage ${JSON.stringify(last.stage.name)} leaves ${shown}, ${held} bytes per micro-batch`,
              `set payload to ${held}, or leave it out`,
            ),
          ];
    });
  },
};

function sizeOf(rows: number, columns: number | undefined, bytes: number): number | undefined {
  return columns === undefined ? undefined : rows * columns * bytes;
}
