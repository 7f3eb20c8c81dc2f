// How long one micro-batch is in each layer.

import { formatFigure, formatInterval } from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";
import { evidenceOf } from "./evidence.ts";

export function layerLatencySection({ metrics: { layers, layerMs } }: RunResult): Section {
  const title = "Latency per layer, one micro-batch";
  if (layers.length === 0) return { title, blocks: [] };
  const perLayer =
    layerMs === undefined
      ? []
      : [`${formatFigure(layerMs)} per layer`, layerMs.conditions.at(-1) ?? ""];
  return {
    title,
    blocks: [
      table(
        [...left("layer"), ...right("latency", "95 % within")],
        layers.map(({ layer, latencyMs }) => ({
          cells: [layer, formatFigure(latencyMs), formatInterval(latencyMs)],
        })),
      ),
      note([...evidenceOf(layers[0]?.latencyMs), ...perLayer].join("; ")),
    ],
  };
}
