// Puts the parts of a result that the ranks observed together again.

import { rowPitch, type StorageType } from "../kernels/storage.ts";
import { fromHalf } from "../kernels/half.ts";
import type { Observation, Program } from "../program/program.ts";
import { matrix, rowOf, type Matrix } from "../reference/tensor.ts";

/** What one `observe` instruction showed. */
export interface ObservedBuffer {
  readonly layer: string;
  readonly microBatch: number;
  readonly observation: Observation;
  /** The buffer's bytes, rows padded to quads except for routes. */
  readonly bytes: Uint8Array;
}

/** The result of one micro-batch; every element must have been observed by exactly one rank. */
export const assembleOutput = (
  program: Program,
  observed: readonly ObservedBuffer[],
  microBatch: number,
): Matrix => {
  const { rows, columns } = program.output;
  const out = matrix(rows, columns);
  out.data.fill(Number.NaN);
  for (const { observation, bytes, microBatch: own } of observed) {
    if (own !== microBatch || observation.kind !== "output") continue;
    const values = decode(bytes, program.dtype);
    const pitch = rowPitch(observation.columns);
    for (let row = 0; row < observation.rows; row++) {
      const part = values.subarray(row * pitch, row * pitch + observation.columns);
      rowOf(out, observation.rowOffset + row).set(part, observation.columnOffset);
    }
  }
  return out;
};

/** Expert choices of one micro-batch per layer, [rows, topK]. */
export const assembleRoutes = (
  program: Program,
  observed: readonly ObservedBuffer[],
  microBatch: number,
): Map<string, Uint32Array> => {
  const rows = (program.tokens / program.microBatches) | 0;
  const routes = new Map<string, Uint32Array>();
  for (const { observation, bytes, layer, microBatch: own } of observed) {
    if (own !== microBatch || observation.kind !== "routes") continue;
    const { topK, rowOffset } = observation;
    const all = routes.get(layer) ?? new Uint32Array(rows * topK);
    const ids = new Uint32Array(bytes.slice().buffer, 0, observation.rows * topK);
    all.set(ids, rowOffset * topK);
    routes.set(layer, all);
  }
  return routes;
};

const decode = (bytes: Uint8Array, dtype: StorageType): Float64Array => {
  const own = bytes.slice().buffer;
  return dtype === "f16"
    ? Float64Array.from(new Uint16Array(own), fromHalf)
    : Float64Array.from(new Float32Array(own));
};
