// What ranks send to each other in a step.

import { formatBytes, formatNumber } from "../../measure/format.ts";
import type { CollectiveEstimate, PlanEstimate } from "../../program/estimate.ts";
import { left, note, right, table, type Section } from "../section.ts";

export function collectiveCostSection({ collectives, replicaTraffic }: PlanEstimate): Section {
  return {
    title: "Collectives",
    blocks: [
      ...(collectives.length === 0
        ? [note("none: no rank waits for another", "plain")]
        : [
            table(
              [
                ...left("collective", "of"),
                ...right("layers", "calls", "wire per call", "wire per step"),
              ],
              kindsOf(collectives).map(({ op, of, calls, bytes, layers }) => ({
                cells: [
                  op,
                  of,
                  formatNumber(layers),
                  formatNumber(calls),
                  formatBytes(bytes / Math.max(1, calls)),
                  formatBytes(bytes),
                ],
              })),
            ),
            note("wire: bytes that arrive at another rank, all members together"),
          ]),
      ...(replicaTraffic === undefined
        ? []
        : [
            note(
              "beside these, which the program moves, training replicas exchange per step and GPU at most " +
                `${formatBytes(replicaTraffic.gradients)} of gradients and ${formatBytes(replicaTraffic.weights)} of weights`,
            ),
          ]),
    ],
  };
}

interface Kind {
  readonly op: string;
  readonly of: string;
  readonly calls: number;
  readonly bytes: number;
  readonly layers: number;
}

/** Those of the same operation on the same part of layers together. */
function kindsOf(collectives: readonly CollectiveEstimate[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { op, name, layer, calls, wireBytes } of collectives) {
    const of = name ?? layer.slice(layer.lastIndexOf(".") + 1);
    const key = `${op} ${of}`;
    const known = kinds.get(key) ?? { op, of, calls: 0, bytes: 0, layers: 0 };
    kinds.set(key, {
      ...known,
      calls: known.calls + calls,
      bytes: known.bytes + wireBytes,
      layers: known.layers + 1,
    });
  }
  return [...kinds.values()];
}
