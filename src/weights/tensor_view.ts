// How a tensor of a plan lies in files: as a strided view of one stored tensor, or of one per index of its first axis.
// Transposed, packed and interleaved weights are all of this kind.

import {
  asThree,
  regionColumns,
  rowPlace,
  type SourcedContent,
} from "../program/content_source.ts";
import { type BlockScales, mostScaled, scaledElements, type ScaledType } from "./block_scales.ts";
import { bitsOf, elementsIn, type Elements, type ReadableType } from "./element_type.ts";
import type { FileWindows } from "./file_windows.ts";

/** Where index i of an axis lies: the sum of digit · stride over the digits of i, whose base are the extents. */
export interface Axis {
  /** Outermost first; their product is the axis' length. */
  readonly extents: readonly number[];
  /** In elements of the stored tensor. */
  readonly strides: readonly number[];
}

interface StoredElements<Type> {
  /** Index into the list of files. */
  readonly file: number;
  readonly type: Type;
  /** Of its first byte, from the file's begin. */
  readonly offset: number;
}

interface ScaledTensor extends StoredElements<ScaledType> {
  readonly scales: BlockScales;
}

export type StoredTensor =
  | (StoredElements<ReadableType> & { readonly scales?: undefined })
  | ScaledTensor;

export interface TensorView {
  /** One, or one for each index of the first axis, which then has stride 0. */
  readonly stored: readonly StoredTensor[];
  /** Element of the stored tensor that the view begins with. */
  readonly start: number;
  /** Of the plan's tensor, outermost first; indices beyond their length are zeros, as in a padded vocabulary. */
  readonly axes: readonly Axis[];
  /** Added to every value. */
  readonly plus?: number;
}

/** A plain axis. */
export function axis(extent: number, stride: number): Axis {
  return {
    extents: [extent],
    strides: [stride],
  };
}

export function lengthOf({ extents }: Axis): number {
  return extents.reduce((product, extent) => product * extent, 1);
}

/** In elements from the view's start; undefined where the index is beyond the axis. */
function placeOn({ extents, strides }: Axis, index: number): number | undefined {
  let rest = index;
  let place = 0;
  for (let digit = extents.length - 1; digit >= 0; digit--) {
    const extent = extents[digit] ?? 1;
    place += (rest % extent) * (strides[digit] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return rest === 0 ? place : undefined;
}

/** Rows [first, first + rows) of a region, row-major. */
export function readView(
  view: TensorView,
  files: readonly FileWindows[],
  region: SourcedContent,
  first: number,
  rows: number,
): Float64Array {
  const columns = regionColumns(region);
  const values = new Float64Array(rows * columns);
  const [depthAxis, rowAxis, columnAxis] = threeAxes(view);
  const [, , column0] = asThree(region.offset, 0);
  const across = placesOf(columnAxis, column0, columns);
  for (const run of runsOf(region, first, rows)) {
    const depthPlace = placeOn(depthAxis, run.depth);
    const stored = view.stored[view.stored.length === 1 ? 0 : run.depth];
    if (depthPlace === undefined || stored === undefined) continue;
    const down = placesOf(rowAxis, run.row, run.rows).map(
      (place) => view.start + depthPlace + place,
    );
    const target = { values, at: run.at * columns, columns };
    gather(stored, files, { from: 0, places: down }, { from: 0, places: across }, target);
  }
  const { plus } = view;
  if (plus === undefined) return values;
  // As f32 has the sum, which is then rounded once more where a buffer is narrower.
  for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i]! + plus);
  return values;
}

/** As `asThree` has a shape: a missing axis has the one index 0. */
function threeAxes({ axes }: TensorView): [Axis, Axis, Axis] {
  const one = axis(1, 0);
  const [a = one, b = one, c = one] = [
    ...Array.from({ length: 3 - axes.length }, () => one),
    ...axes,
  ];
  return [a, b, c];
}

/** Places of indices in a row, up to the axis' end. */
function placesOf(along: Axis, first: number, count: number): Float64Array {
  const inside = Math.max(0, Math.min(count, lengthOf(along) - first));
  return Float64Array.from({ length: inside }, (_, i) => placeOn(along, first + i) ?? 0);
}

interface Run {
  readonly depth: number;
  readonly row: number;
  readonly rows: number;
  /** First row of the result. */
  readonly at: number;
}

/** Rows of the region that lie at one depth of its tensor. */
function runsOf(region: SourcedContent, first: number, rows: number): Run[] {
  const runs: Run[] = [];
  const [, height] = asThree(region.size, 1);
  for (let row = first; row < first + rows;) {
    const end = Math.min(first + rows, (Math.floor(row / height) + 1) * height);
    const [depth, inner] = rowPlace(region, row);
    runs.push({ depth, row: inner, rows: end - row, at: row - first });
    row = end;
  }
  return runs;
}

/** Consecutive rows or columns of the result. */
interface Places {
  readonly from: number;
  /** In elements of the stored tensor. */
  readonly places: Float64Array;
}

interface Target {
  readonly values: Float64Array;
  /** Element of the first row. */
  readonly at: number;
  readonly columns: number;
}

/** Halves the longer way until what is read lies in one window. */
function gather(
  stored: StoredTensor,
  files: readonly FileWindows[],
  down: Places,
  across: Places,
  target: Target,
): void {
  if (down.places.length === 0 || across.places.length === 0) return;
  const [lowest, highest] = bothEnds(down.places, across.places);
  const elements = elementsOf(stored, files, lowest, highest - lowest + 1);
  if (elements !== undefined) {
    copy(elements, lowest, down, across, target);
    return;
  }
  const byRows = extentOf(down.places) > extentOf(across.places);
  for (const half of halvesOf(byRows ? down : across)) {
    gather(stored, files, byRows ? half : down, byRows ? across : half, target);
  }
}

/** Elements [first, first + count); undefined where they are too many at once. */
function elementsOf(
  stored: StoredTensor,
  files: readonly FileWindows[],
  first: number,
  count: number,
): Elements | undefined {
  const file = files[stored.file];
  if (file === undefined) throw new RangeError(`no file ${stored.file}`);
  if (stored.scales !== undefined) {
    return count <= Math.min(mostScaled, file.windowBytes)
      ? { words: scaledElements(files, stored, stored.scales, first, count) }
      : undefined;
  }
  const { type } = stored;
  const width = bitsOf(type) / 8;
  const offset = stored.offset + first * width;
  if (count * width > file.windowBytes) return undefined;
  const span = file.span(offset, count * width);
  return elementsIn(span.memory, offset - span.offset, count, type);
}

function extentOf(places: Float64Array): number {
  const [low, high] = endsOf(places);
  return high - low;
}

function endsOf(places: Float64Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const place of places) {
    low = Math.min(low, place);
    high = Math.max(high, place);
  }
  return [low, high];
}

function bothEnds(a: Float64Array, b: Float64Array): [number, number] {
  const [[lowA, highA], [lowB, highB]] = [endsOf(a), endsOf(b)];
  return [lowA + lowB, highA + highB];
}

function halvesOf({ from, places }: Places): [Places, Places] {
  const middle = Math.ceil(places.length / 2);
  return [
    { from, places: places.subarray(0, middle) },
    { from: from + middle, places: places.subarray(middle) },
  ];
}

/**
 * In the order in which the stored tensor lies, so that its cache lines are read once.
 *
 * @param lowest place of the first of the elements
 */
function copy(
  elements: Elements,
  lowest: number,
  down: Places,
  across: Places,
  { values, at, columns }: Target,
): void {
  const isTransposed = strideOf(down.places) < strideOf(across.places);
  const [outer, inner] = isTransposed ? [across, down] : [down, across];
  const [outerStep, innerStep] = isTransposed ? [1, columns] : [columns, 1];
  const [first = 0] = inner.places;
  const steps = Int32Array.from(inner.places, (place) => place - first);
  const base = at + down.from * columns + across.from;
  for (const [i, place] of outer.places.entries()) {
    const from = place + first - lowest;
    copyRun(elements, from, steps, values, base + i * outerStep, innerStep);
  }
}

/** The innermost loop over all elements of a model: a table is faster than a call for each. */
function copyRun(
  { words, values: decoded }: Elements,
  from: number,
  steps: Int32Array,
  into: Float64Array,
  at: number,
  step: number,
): void {
  let to = at;
  if (decoded === undefined) {
    for (let j = 0; j < steps.length; j++) {
      into[to] = words[from + steps[j]!]!;
      to += step;
    }
    return;
  }
  for (let j = 0; j < steps.length; j++) {
    into[to] = decoded[words[from + steps[j]!]!]!;
    to += step;
  }
}

function strideOf(places: Float64Array): number {
  return places.length < 2 ? Infinity : Math.abs((places[1] ?? 0) - (places[0] ?? 0));
}
