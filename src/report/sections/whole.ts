// The full plan's speed, as a run of a scaled one projects it.

import type { Figure } from "../../measure/figure.ts";
import { formatFigure } from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";

export function wholeSection({ scaled }: Pick<RunResult, "scaled">): Section {
  const title = "Full plan, projected";
  if (scaled === undefined || isChanged(scaled)) return { title, blocks: [] };
  const { stepMs, samplesPerSecond, tokensPerSecond, layerMs } = scaled.projected;
  const figures: readonly (readonly [string, Figure | undefined])[] = [
    ["step", stepMs],
    ["samples", samplesPerSecond],
    ["tokens", tokensPerSecond],
    ["layer, one micro-batch", layerMs],
  ];
  const rows = figures.flatMap(([label, figure]) =>
    figure === undefined ? [] : [{ cells: [label, formatFigure(figure)] }],
  );
  return {
    title,
    blocks:
      rows.length === 0
        ? []
        : [
            table([...left(""), ...right("projected")], rows),
            note(`projected: ${stepMs?.conditions.join("; ") ?? ""}`),
          ],
  };
}

function isChanged({ reductions }: NonNullable<RunResult["scaled"]>): boolean {
  return reductions.some(({ changesLayers }) => changesLayers !== undefined);
}
