// The gradient of a turn is the turn back, in f64.

import type { HeadTurn } from "../../kernels/rotary.ts";
import { turnHead, type TurnOf } from "../rotary.ts";

/** By the negative angles; a magnitude other than 1 stays a factor. */
export function turnedBack(turnOf: TurnOf): TurnOf {
  return (pair) => {
    const [cosine, sine] = turnOf(pair);
    return [cosine, -sine];
  };
}

/** Of a head before `turnHead`, from that of what it made of it, in place. */
export function turnGradient(
  gradient: { [index: number]: number },
  turn: HeadTurn,
  turnOf: TurnOf,
): void {
  turnHead(gradient, turn, turnedBack(turnOf));
}
