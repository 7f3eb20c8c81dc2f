// What each layer of a model costs.

import { formatBytes, formatFlops, formatNumber, formatPercent } from "../../measure/format.ts";
import type { LayerEstimate, PlanEstimate } from "../../program/estimate.ts";
import { left, note, right, table, type Section } from "../section.ts";
import { intensityOf } from "./intensity.ts";

/** Above this, layers of one kind and size share a line. */
const mostLines = 12;

export function layerCostSection({
  layers,
  modelFlops,
  microBatches,
  bound,
}: PlanEstimate): Section {
  const msOf = new Map(bound?.layers.map(({ layer, ms }) => [layer, ms]));
  const least = (layer: LayerEstimate): string[] =>
    bound === undefined ? [] : [formatNumber((msOf.get(layer.layer) ?? 0) * microBatches)];
  const total = Math.max(1, totalOf(layers, modelFlops));
  return {
    title: "Layers",
    blocks: [
      table(
        [
          ...left("layer"),
          ...right("FLOPs", "share", "bytes", "FLOP/B", "wire"),
          ...right(...(bound === undefined ? [] : ["≥ ms"])),
        ],
        kindsOf(layers).map(({ title, count, layer }) => ({
          cells: [
            count === 1 ? title : `${count} × ${title}`,
            formatFlops(count * layer.flops),
            formatPercent((count * layer.flops) / total),
            formatBytes(count * layer.kernelBytes),
            intensityOf(layer),
            formatBytes(count * layer.wireBytes),
            ...least(layer),
          ],
        })),
      ),
      note(
        "per step over all ranks; bytes: what kernels must move through memory; wire: what arrives at " +
          "other ranks" +
          (bound === undefined ? "" : "; ≥ ms: one layer for the whole step, on its slowest rank"),
      ),
    ],
  };
}

function totalOf(layers: readonly LayerEstimate[], least: number): number {
  return Math.max(
    least,
    layers.reduce((sum, { flops }) => sum + flops, 0),
  );
}

interface Kind {
  readonly title: string;
  count: number;
  /** Of one. */
  readonly layer: LayerEstimate;
}

/** Few layers by name; of many, those of one kind and cost together. */
function kindsOf(layers: readonly LayerEstimate[]): Kind[] {
  if (layers.length <= mostLines) {
    return layers.map((layer) => ({ title: layer.layer, count: 1, layer }));
  }
  const kinds = new Map<string, Kind>();
  for (const layer of layers) {
    const title = layer.layer.slice(layer.layer.lastIndexOf(".") + 1);
    const key = `${title} ${Math.round(layer.flops)} ${Math.round(layer.kernelBytes)}`;
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { title, count: 1, layer });
    else known.count += 1;
  }
  return [...kinds.values()];
}
