// Gradients of weights as ranks show them, held against those of the reference or of the unsharded run.

import { volumeOf } from "../program/tensor.ts";
import { rowPitch } from "../kernels/storage.ts";
import type { RegionContent } from "../program/content.ts";
import type { Observation } from "../program/observation.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";

/** Whole gradients by the weight's name, each in its global shape. */
export type Gradients = ReadonlyMap<string, WholeTensor>;

export interface WholeTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Put together from what ranks show. What no rank shows is NaN. */
export function assembleGradients(observed: readonly ObservedBuffer[]): Gradients {
  const found = new Map<string, WholeTensor>();
  for (const { region, value } of shownGradients(observed)) {
    const { tensor, shape } = region;
    const whole = found.get(tensor) ?? {
      shape,
      data: new Float64Array(volumeOf(shape)).fill(Number.NaN),
    };
    found.set(tensor, whole);
    eachElement(region, (local, global) => {
      whole.data[global] = value(local);
    });
  }
  return found;
}

/**
 * Where a weight moves nothing, as biases of keys do without positions, its gradient is a sum of terms that cancel: what
 * rounding leaves of it is held against this share of the largest gradient of any weight.
 */
const leastOfLargest = 0.02;

function largestOf({ data }: WholeTensor): number {
  return data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** A weight of whose gradient the ranks together show not every element; undefined where they show all. */
export function notShown(
  observed: readonly ObservedBuffer[],
  expected: Gradients,
): string | undefined {
  const shown = new Map<string, Uint8Array>();
  for (const { region } of shownGradients(observed)) {
    const seen = shown.get(region.tensor) ?? new Uint8Array(volumeOf(region.shape));
    shown.set(region.tensor, seen);
    eachElement(region, (_, global) => {
      seen[global] = 1;
    });
  }
  const isShown = (name: string): boolean => shown.get(name)?.includes(0) === false;
  return [...expected.keys()].find((name) => !isShown(name));
}

export interface GradientError {
  /** The largest difference of a weight's gradient over its largest value, see `leastOfLargest`, and whose it is. */
  readonly error: number;
  readonly weight: string;
  readonly values: number;
}

/** @param scale what shown gradients were multiplied by, and `expected` were not */
export function compareGradients(
  observed: readonly ObservedBuffer[],
  expected: Gradients,
  scale: number,
): GradientError {
  const floor = leastOfLargest * Math.max(0, ...[...expected.values()].map(largestOf));
  let worst = { error: 0, weight: "" };
  let values = 0;
  for (const { region, value } of shownGradients(observed)) {
    const whole = expected.get(region.tensor);
    const largest = Math.max(floor, whole === undefined ? 0 : largestOf(whole));
    let difference = 0;
    eachElement(region, (local, global) => {
      const distance = Math.abs(value(local) / scale - (whole?.data[global] ?? Number.NaN));
      // Also where it is no number.
      if (!(distance <= difference)) difference = distance;
      values += 1;
    });
    const error = difference === 0 ? 0 : difference / largest;
    if (!(error <= worst.error)) worst = { error, weight: region.tensor };
  }
  return { ...worst, values };
}

export interface ShownRegion {
  readonly region: RegionContent;
  /** Of the region's element, row after row. */
  readonly value: (local: readonly [row: number, column: number]) => number;
}

export function shownGradients(observed: readonly ObservedBuffer[]): ShownRegion[] {
  return observed.flatMap(({ observation, bytes }) =>
    observation.kind === "gradient" ? regionsOf(observation, bytes) : [],
  );
}

function regionsOf(
  { content, shape }: Extract<Observation, { kind: "gradient" }>,
  bytes: Uint8Array,
): ShownRegion[] {
  const values = new Float32Array(bytes.slice().buffer);
  const pitch = rowPitch(shape.at(-1) ?? 1);
  let start = 0;
  return (content.kind === "beside" ? content.parts : [content]).map((region) => {
    const first = start;
    start += region.size.at(-1) ?? 0;
    return {
      region,
      value: ([row, column]) => values[row * pitch + first + column] ?? Number.NaN,
    };
  });
}

/** Each of the region's elements: its row and column there, and its index in the whole. */
function eachElement(
  { shape, offset, size }: RegionContent,
  see: (local: readonly [row: number, column: number], global: number) => void,
): void {
  const columns = size.at(-1) ?? 1;
  const rows = volumeOf(size) / columns;
  for (let row = 0; row < rows; row++) {
    let [left, start, stride] = [row, 0, shape.at(-1) ?? 1];
    for (let axis = size.length - 2; axis >= 0; axis--) {
      const extent = size[axis] ?? 1;
      start += ((offset[axis] ?? 0) + (left % extent)) * stride;
      left = Math.floor(left / extent);
      stride *= shape[axis] ?? 1;
    }
    start += offset.at(-1) ?? 0;
    for (let column = 0; column < columns; column++) see([row, column], start + column);
  }
}

/** The batch's mean loss. @param rows over all micro-batches @param columns that a row's loss is a mean over */
export function shownLoss(observed: readonly ObservedBuffer[], rows: number, columns = 1): number {
  const seen = new Set<string>();
  let sum = 0;
  for (const { observation, bytes, microBatch } of observed) {
    if (observation.kind !== "loss") continue;
    const { rowOffset, rows: own, copy, isSummand } = observation;
    const key = `${microBatch} ${rowOffset} ${isSummand === true ? copy : ""}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const values = new Float32Array(bytes.slice().buffer, 0, own);
    for (const value of values) sum += value;
  }
  return sum / (rows * columns);
}

/** What the optimizer found in the step: see `begin_update`. */
export function shownUpdate(
  observed: readonly ObservedBuffer[],
): { readonly gradientNorm: number; readonly step: number } | undefined {
  const shown = observed.find(({ observation }) => observation.kind === "update");
  if (shown === undefined) return undefined;
  const [step = Number.NaN, , , , , gradientNorm = Number.NaN] = new Float32Array(
    shown.bytes.slice().buffer,
  );
  return { step, gradientNorm };
}
