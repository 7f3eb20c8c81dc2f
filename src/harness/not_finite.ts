// Where a step of training left the range of its numbers: named so that its reader knows where to look.

import type { Program } from "../program/program.ts";
import type { RankObservation } from "../runtime/observation.ts";
import { shownRow } from "./assemble.ts";
import { shownGradients } from "./gradients.ts";

interface Found {
  readonly rank: number;
  readonly layer: string;
  readonly microBatch: number;
  readonly what: string;
  readonly value: number;
}

/**
 * In a phrase: the loss that is not finite, else the gradient that the backward pass reached first. Undefined where all
 * are finite.
 *
 * @param ranks of a step that showed losses and gradients
 */
export function whereNotFinite(
  program: Pick<Program, "layers" | "rowOrder">,
  ranks: readonly RankObservation[],
): string | undefined {
  const losses = ranks.flatMap((rank) => lossesOf(program, rank));
  const gradients = ranks.flatMap((rank) => gradientsOf(rank));
  const order = new Map(program.layers.map((layer, i) => [layer, i]));
  const backward = gradients.toSorted(
    (a, b) => (order.get(b.layer) ?? 0) - (order.get(a.layer) ?? 0),
  );
  const [first] = losses.length > 0 ? losses : backward;
  if (first === undefined) return undefined;
  const { layer, what, value, microBatch } = first;
  const alike = (losses.length > 0 ? losses : backward).filter(
    (each) => each.layer === layer && each.what === what && each.microBatch === microBatch,
  );
  const on = [...new Set(alike.map(({ rank }) => rank))].toSorted((a, b) => a - b);
  return `${what} of ${layer} is ${value} on rank${on.length === 1 ? "" : "s"} ${on.join(", ")}`;
}

function lossesOf(
  program: Pick<Program, "rowOrder">,
  { rank, observed }: RankObservation,
): Found[] {
  return observed.flatMap(({ layer, microBatch, observation, bytes }) => {
    if (observation.kind !== "loss") return [];
    const losses = new Float32Array(bytes.slice().buffer, 0, observation.rows);
    const row = losses.findIndex((loss) => !Number.isFinite(loss));
    if (row < 0) return [];
    const token = shownRow(program, observation.rowOffset + row);
    const what = `the loss of micro-batch ${microBatch}, row ${token},`;
    return [{ rank, layer, microBatch, what, value: losses[row] ?? Number.NaN }];
  });
}

function gradientsOf({ rank, observed }: RankObservation): Found[] {
  return observed.flatMap((shown) =>
    shownGradients([shown]).flatMap(({ region, value }) => {
      const columns = region.size.at(-1) ?? 1;
      const rows = region.size.slice(0, -1).reduce((product, extent) => product * extent, 1);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const found = value([row, column]);
          if (Number.isFinite(found)) continue;
          const { layer, microBatch } = shown;
          const what = `the gradient of ${region.tensor}`;
          return [{ rank, layer, microBatch, what, value: found }];
        }
      }
      return [];
    }),
  );
}
