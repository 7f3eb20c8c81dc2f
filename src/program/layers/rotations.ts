// The table of rotations that turn queries and keys, one for all layers of a rank that turn them alike.

import { rotationColumns, rotationRows, finePositions } from "../../kernels/rotary.ts";
import { type Rotary, rotationsOf } from "../../plan/layers/rotary.ts";
import type { RotaryOp } from "../attention_op.ts";
import { tensorKey } from "../hash_source.ts";
import { sameOn, type Tensor } from "../tensor.ts";
import type { LayerContext } from "./context.ts";

/** @param first number of a head that is turned */
export function turnBy(
  context: LayerContext,
  rotary: Rotary,
  first: number,
  sequence: number,
  ranks: readonly number[],
): NonNullable<RotaryOp["turn"]> {
  return {
    first,
    dims: rotary.dims,
    interleaved: rotary.interleaved,
    rotations: rotationTable(context, rotary, sequence, ranks),
  };
}

/** f32 [rows, columns], as `RotationContent` says. */
function rotationTable(
  { origin }: LayerContext,
  rotary: Rotary,
  sequence: number,
  ranks: readonly number[],
): Tensor {
  const { frequencies, magnitude } = rotationsOf(rotary, sequence);
  const size = [rotationRows(sequence), rotationColumns(rotary.dims)];
  const fine = Math.min(sequence, finePositions);
  // Named by what it holds.
  const key = tensorKey(JSON.stringify([size, frequencies, magnitude]), 0) >>> 0;
  const name = `rotations/${key.toString(16)}`;
  const content = {
    kind: "rotations",
    tensor: name,
    shape: size,
    offset: [0, 0],
    size,
    fine,
    frequencies,
    magnitude,
  } as const;
  return {
    name,
    layer: origin.layer,
    role: "constant",
    dtype: "f32",
    parts: sameOn(ranks, { shape: size, content }),
  };
}
