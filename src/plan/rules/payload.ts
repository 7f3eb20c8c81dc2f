// A rule on how much a declared communication moves, where the plan states it.

import { type PlacedLayer, placedLayers } from "../layers.ts";
import { formatBytes } from "../quantity.ts";
import { error, info, type Rule } from "./rule.ts";

const sizeOf = (rows: number, columns: number | undefined, bytes: number): number | undefined =>
  columns === undefined ? undefined : rows * columns * bytes;

/** What moves is what the stage before leaves and the stage after takes: rows × columns × bytes each. */
export const payloadIsWhatIsHeld: Rule = (plan) => {
  const bytes = plan.workload.dtype === "f16" ? 2 : 4;
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
      ? [info("communication-payload-fits", path, `${name} moves ${shown}: ${formatBytes(held)}`)]
      : [
          error(
            "communication-payload-differs",
            path,
            `${name} is said to move ${payload} bytes, but stage ${JSON.stringify(last.stage.name)} leaves ${shown}, ${held} bytes per micro-batch`,
            `set payload to ${held}, or leave it out`,
          ),
        ];
  });
};
