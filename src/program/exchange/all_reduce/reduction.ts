// A sum over ranks, and how it is cut into slices.

import { bytesPerElement, ceilDiv, type StorageType } from "../../../kernels/storage.ts";
import { bindingUnit } from "../chunks.ts";
import type { Piece } from "../pieces.ts";

export interface Reduction {
  readonly name: string;
  readonly op: "all-reduce" | "reduce";
  readonly count: number;
  readonly dtype: StorageType;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

export function bytesOfSum({ count, dtype }: Reduction): number {
  return count * bytesPerElement(dtype);
}

/** Slice k of `slices`, one after the other: the first is the largest, the last may be empty. */
export function sliceOf({ count, dtype }: Reduction, slices: number, k: number): Piece {
  const elementBytes = bytesPerElement(dtype);
  const unit = bindingUnit / elementBytes;
  const most = ceilDiv(count, slices * unit) * unit;
  const first = Math.min(count, k * most);
  const offset = first * elementBytes;
  const bytes = (Math.min(count, first + most) - first) * elementBytes;
  return { sourceOffset: offset, targetOffset: offset, bytes };
}

export function slicesOf(reduction: Reduction, slices: number): Piece[] {
  return Array.from({ length: slices }, (_, k) => sliceOf(reduction, slices, k));
}
