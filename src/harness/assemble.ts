// Puts the parts of a result that the ranks observed together again.

import { rowPitch, type StorageType } from "../kernels/storage.ts";
import { fromHalf } from "../kernels/half.ts";
import type { Observation } from "../program/observation.ts";
import type { Program } from "../program/program.ts";
import { tokenRow } from "../program/row_order.ts";
import { matrix, rowOf, type Matrix } from "../reference/tensor.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";

/**
 * The result of one micro-batch, as often as ranks hold it whole: copy i is made of what the i-th holders
 * of its parts observed. What no rank observed is NaN.
 */
export function assembleOutputs(
  program: Program,
  observed: readonly ObservedBuffer[],
  microBatch: number,
): Matrix[] {
  const parts = observed.flatMap(({ observation, bytes, microBatch: own }) =>
    own === microBatch && observation.kind === "output" ? [{ ...observation, bytes }] : [],
  );
  const copies = 1 + Math.max(0, ...parts.map(({ copy }) => copy));
  return Array.from({ length: copies }, (_, wanted) => {
    const { rows, columns } = program.output;
    const out = matrix(rows, columns);
    out.data.fill(Number.NaN);
    // A part with fewer holders than others stays as its last holder showed it.
    for (const part of parts.toSorted((a, b) => a.copy - b.copy)) {
      if (part.copy <= wanted) place(program, out, part, decode(part.bytes, program.dtype));
    }
    return out;
  });
}

function place(
  program: Program,
  out: Matrix,
  part: Extract<Observation, { kind: "output" }>,
  values: Float64Array,
): void {
  const pitch = rowPitch(part.columns);
  for (let row = 0; row < part.rows; row++) {
    const own = values.subarray(row * pitch, row * pitch + part.columns);
    rowOf(out, shownRow(program, part.rowOffset + row)).set(own, part.columnOffset);
  }
}

/** Expert choices of one micro-batch per layer, [rows, topK]. */
export function assembleRoutes(
  program: Program,
  observed: readonly ObservedBuffer[],
  microBatch: number,
): Map<string, Uint32Array<ArrayBuffer>> {
  const rows = program.tokens / program.microBatches;
  const routes = new Map<string, Uint32Array<ArrayBuffer>>();
  for (const { observation, bytes, layer, microBatch: own } of observed) {
    if (own !== microBatch || observation.kind !== "routes") continue;
    const { topK, rowOffset } = observation;
    const all = routes.get(layer) ?? new Uint32Array(rows * topK);
    const ids = new Uint32Array(bytes.slice().buffer, 0, observation.rows * topK);
    for (let row = 0; row < observation.rows; row++) {
      const chosen = ids.subarray(row * topK, (row + 1) * topK);
      all.set(chosen, shownRow(program, rowOffset + row) * topK);
    }
    routes.set(layer, all);
  }
  return routes;
}

/** Of a micro-batch: the row of samples one after the other. */
export function shownRow({ rowOrder }: Pick<Program, "rowOrder">, row: number): number {
  return rowOrder === undefined ? row : tokenRow(rowOrder, row);
}

function decode(bytes: Uint8Array, dtype: StorageType): Float64Array {
  const own = bytes.slice().buffer;
  return dtype === "f16"
    ? Float64Array.from(new Uint16Array(own), fromHalf)
    : Float64Array.from(new Float32Array(own));
}
