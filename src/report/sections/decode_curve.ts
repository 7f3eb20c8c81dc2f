// Decode against context, as a table.

import { formatBytes, formatFigure, formatInterval } from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { note, right, table, type Section } from "../section.ts";
import { evidenceOf } from "./evidence.ts";

export function decodeCurveSection({ metrics }: RunResult): Section {
  const { decodeCurve = [] } = metrics;
  const title = "Decode against context";
  const [first] = decodeCurve;
  if (first === undefined) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        right("context", "step", "95 % within", "attention", "reads", "rest", "of first"),
        decodeCurve.map(({ context, stepMs, attentionMs, attentionBytes, restMs, restRatio }) => ({
          cells: [
            context.toLocaleString("en-US"),
            formatFigure(stepMs),
            formatInterval(stepMs) || "–",
            attentionMs === undefined ? "–" : formatFigure(attentionMs),
            formatBytes(attentionBytes),
            restMs === undefined ? "–" : formatFigure(restMs),
            restRatio === undefined ? "–" : restRatio.toFixed(2),
          ],
        })),
      ),
      note(
        [
          ...evidenceOf(first.stepMs),
          "every slot has a request with as many tokens cached, in caches of one size for all contexts, filled from a seed",
          "attention: time in which a rank attends to its cache; reads: what that must move, of all ranks; rest: the step without it, over that of the shortest context",
        ].join("; "),
      ),
    ],
  };
}
