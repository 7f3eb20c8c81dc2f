// Rotary positions by their definition, in f64: pairs of a head's numbers, each turned by its angle.

import {
  finePositions,
  type HeadTurn,
  type RotaryTemperature,
  rotationColumns,
} from "../kernels/rotary.ts";
import type { Rotations } from "../plan/layers/rotary.ts";

/** Cosine and sine of a pair's angle. */
export type TurnOf = (pair: number) => readonly [cosine: number, sine: number];

/** Of all pairs at a position. */
export function turnsAt({ frequencies, magnitude }: Rotations, position: number): TurnOf {
  return (pair) => {
    const angle = position * (frequencies[pair] ?? 0);
    return [magnitude * Math.cos(angle), magnitude * Math.sin(angle)];
  };
}

/** What queries at a position are multiplied with. */
export function temperatureAt(
  { scale, interval, offset }: RotaryTemperature,
  position: number,
): number {
  return 1 + scale * Math.log1p(Math.floor((position + offset) / interval));
}

/** The two numbers of a pair within a head. */
export function placesOf(
  { first, dims, interleaved }: HeadTurn,
  pair: number,
): readonly [number, number] {
  return interleaved
    ? [first + 2 * pair, first + 2 * pair + 1]
    : [first + pair, first + pair + dims / 2];
}

/** Turns a head in place. */
export function turnHead(head: { [index: number]: number }, turn: HeadTurn, turnOf: TurnOf): void {
  for (let pair = 0; pair < turn.dims / 2; pair++) {
    const [a, b] = placesOf(turn, pair);
    const [cosine, sine] = turnOf(pair);
    const [left, right] = [head[a] ?? 0, head[b] ?? 0];
    head[a] = left * cosine - right * sine;
    head[b] = right * cosine + left * sine;
  }
}

/**
 * As a kernel reads them from its table: a late position is turned by a coarse one, then by an early one.
 *
 * @param table [positions, columns], as `RotationContent` says
 */
export function turnsInTable(
  table: ArrayLike<number>,
  position: number,
  sequence: number,
  dims: number,
): TurnOf {
  const columns = rotationColumns(dims);
  const entry = (row: number, pair: number): readonly [number, number] => {
    const at = row * columns + 8 * Math.floor(pair / 4) + (pair % 4);
    return [table[at] ?? Number.NaN, table[at + 4] ?? Number.NaN];
  };
  return (pair) => {
    const [cosine, sine] = entry(position % finePositions, pair);
    if (sequence <= finePositions) return [cosine, sine];
    const [c, s] = entry(finePositions + Math.floor(position / finePositions), pair);
    return [c * cosine - s * sine, s * cosine + c * sine];
  };
}
