// What tokens add to the gradients of an embedding table and of a table of positions, made again in f64 from what that was before.

import type { EmbeddingGradientShape } from "../../kernels/embedding_gradient.ts";
import { type PositionGradientShape, rowsOfSequence } from "../../kernels/position_gradient.ts";
import { positionOf } from "../../kernels/positions.ts";
import { rowPitch } from "../../kernels/storage.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { addOrOverflow } from "./overflow.ts";
import { checkPadding } from "./rows.ts";
import { heldBefore, type Operands } from "./view.ts";

export async function checkEmbeddingGradient(
  shape: EmbeddingGradientShape,
  operands: Operands,
): Promise<Coverage> {
  const { hidden, vocabularyRows, scale = 1 } = shape;
  const deviation = createDeviation();
  const dy = await operands.tensor("dy");
  const [before, after] = [heldBefore(operands, "dtable"), await operands.floats("dtable")];
  const pitch = rowPitch(hidden);
  const tokensOf = tokensOfRows(shape, await operands.words("ids"));
  for (let row = 0; row < vocabularyRows; row++) {
    const own = tokensOf.get(row) ?? [];
    for (let c = 0; c < hidden; c++) {
      const at = row * pitch + c;
      const [held, actual] = [before[at] ?? Number.NaN, after[at] ?? Number.NaN];
      if (own.length === 0) {
        deviation.same(actual, held, row, c);
        continue;
      }
      let [sum, squares] = [held, held * held];
      for (const token of own) {
        const value = scale * (dy[token * pitch + c] ?? Number.NaN);
        sum += value;
        squares += value * value;
      }
      const accepted = sumError(own.length + 1, squares, sum) + 2 * storedError(sum, "f32");
      addOrOverflow(deviation, actual, sum, accepted, row, c);
    }
    checkPadding(after.subarray(row * pitch, (row + 1) * pitch), row, hidden, deviation);
    await operands.pace(hidden * (1 + 2 * own.length));
  }
  return { unit: "rows", checked: vocabularyRows, total: vocabularyRows, deviation };
}

export async function checkPositionGradient(
  shape: PositionGradientShape,
  operands: Operands,
): Promise<Coverage> {
  const { batch, hidden, first } = shape;
  const ownRows = rowsOfSequence(shape);
  const rowAt = new Map(
    Array.from({ length: ownRows }, (_, row) => [positionOf(shape, row, undefined), row]),
  );
  const deviation = createDeviation();
  const dy = await operands.tensor("dy");
  const [before, after] = [heldBefore(operands, "dtable"), await operands.floats("dtable")];
  const pitch = rowPitch(hidden);
  const rows = Math.floor(after.length / pitch);
  for (let row = 0; row < rows; row++) {
    const place = rowAt.get(row - first);
    for (let c = 0; c < hidden; c++) {
      const at = row * pitch + c;
      const [held, actual] = [before[at] ?? Number.NaN, after[at] ?? Number.NaN];
      if (place === undefined) {
        deviation.same(actual, held, row, c);
        continue;
      }
      let [sum, squares] = [held, held * held];
      for (let own = 0; own < batch; own++) {
        const value = dy[(own * ownRows + place) * pitch + c] ?? Number.NaN;
        sum += value;
        squares += value * value;
      }
      const accepted = sumError(batch + 1, squares, sum) + storedError(sum, "f32");
      addOrOverflow(deviation, actual, sum, accepted, row, c);
    }
    checkPadding(after.subarray(row * pitch, (row + 1) * pitch), row, hidden, deviation);
    await operands.pace(hidden * (1 + 2 * (place === undefined ? 0 : batch)));
  }
  return { unit: "rows", checked: rows, total: rows, deviation };
}

/** Tokens whose ids are in the shard, by the row of the table. */
function tokensOfRows(
  { tokens, vocabularyStart, vocabularyRows }: EmbeddingGradientShape,
  ids: Uint32Array,
): Map<number, number[]> {
  const tokensOf = new Map<number, number[]>();
  for (const [token, id] of ids.subarray(0, tokens).entries()) {
    const row = id - vocabularyStart;
    if (row < 0 || row >= vocabularyRows) continue;
    const own = tokensOf.get(row) ?? [];
    tokensOf.set(row, own);
    own.push(token);
  }
  return tokensOf;
}
