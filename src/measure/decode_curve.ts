// How long a step of decode takes at each context, and what is left of it without attention.

import type { Figure } from "./figure.ts";
import { type Conditions, figureOf } from "./figures.ts";
import { median } from "./statistics.ts";

/** Steps at one context. */
export interface CurvePoint {
  /** Tokens of each request that a new one sees, itself included. */
  readonly context: number;
  /** By step. */
  readonly wallMs: readonly number[];
  /** By step, time in which any rank attends to its cache; absent where kernels are not timed one by one. */
  readonly attentionMs?: readonly number[];
  /** Of all ranks in a step: what attention must read and write. */
  readonly attentionBytes: number;
}

export interface CurveFigures {
  readonly context: number;
  readonly stepMs: Figure;
  readonly attentionMs?: Figure;
  /** The step without attention. */
  readonly restMs?: Figure;
  /** Of the rest, over that at the shortest context: with caches that stay in place it is 1. */
  readonly restRatio?: number;
  readonly attentionBytes: number;
}

export function curveFigures(
  points: readonly CurvePoint[],
  conditions: Conditions,
): CurveFigures[] {
  const restOf = ({ wallMs, attentionMs }: CurvePoint): number[] | undefined =>
    attentionMs && wallMs.map((wall, i) => wall - (attentionMs[i] ?? 0));
  const shortest = points.toSorted((a, b) => a.context - b.context)[0];
  const atShortest = shortest && restOf(shortest);
  return points.map((point) => {
    const { context, wallMs, attentionMs, attentionBytes } = point;
    const stepMs = figureOf([wallMs], "ms", conditions);
    if (stepMs === undefined) throw new Error(`no step at context ${context}`);
    const rest = restOf(point);
    const attention = attentionMs && figureOf([attentionMs], "ms", conditions);
    const restMs = rest && figureOf([rest], "ms", conditions);
    return {
      context,
      stepMs,
      ...(attention && { attentionMs: attention }),
      ...(restMs && { restMs }),
      ...(restMs && atShortest ? { restRatio: restMs.value / median(atShortest) } : {}),
      attentionBytes,
    };
  });
}
