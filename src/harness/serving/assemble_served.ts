// Puts what steps of serving show together as rows of whole sequences.

import type { Program } from "../../program/program.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import { type Matrix, rowOf } from "../../reference/tensor.ts";
import type { ForcedRoutes, ObservedBuffer } from "../../runtime/observation.ts";
import { assembleOutputs, assembleRoutes } from "../assemble.ts";

/** One step and what its ranks showed. */
export interface ShownStep {
  readonly step: ServedStep;
  readonly observed: readonly ObservedBuffer[];
}

/** By place: `request · tokens + token`. */
export type RowsByPlace<Row> = ReadonlyMap<number, Row>;

export interface ServedResults {
  /** As often as ranks hold results. */
  readonly outputs: readonly RowsByPlace<Float64Array>[];
  /** Expert choices by layer. */
  readonly routes: ReadonlyMap<string, RowsByPlace<Uint32Array>>;
}

/** @param tokens of each sequence */
export function assembleServed(
  program: Program,
  tokens: number,
  shown: readonly ShownStep[],
): ServedResults {
  const outputs: Map<number, Float64Array>[] = [];
  const routes = new Map<string, Map<number, Uint32Array>>();
  for (const { step, observed } of shown) {
    const part = partOf(program, step);
    for (let microBatch = 0; microBatch < part.microBatches; microBatch++) {
      const places = placesOf(part, step, microBatch, tokens);
      const shownAt = shownPlaces(part, step, microBatch, tokens);
      for (const [copy, own] of assembleOutputs(part, observed, microBatch).entries()) {
        const rows = (outputs[copy] ??= new Map<number, Float64Array>());
        for (const { row, place } of shownAt) rows.set(place, rowOf(own, row).slice());
      }
      for (const [layer, ids] of assembleRoutes(part, observed, microBatch)) {
        const topK = topKOf(part, ids);
        const rows = routes.get(layer) ?? new Map<number, Uint32Array>();
        routes.set(layer, rows);
        for (const { row, place } of places) {
          rows.set(place, ids.slice(row * topK, (row + 1) * topK));
        }
      }
    }
  }
  return { outputs, routes };
}

/** Expert choices that a step is to follow. */
export function routesOfStep(
  program: Program,
  tokens: number,
  step: ServedStep,
  { routes }: Pick<ServedResults, "routes">,
): ForcedRoutes[] {
  const part = partOf(program, step);
  const rows = part.tokens / part.microBatches;
  return [...routes].flatMap(([layer, known]) => {
    const topK = known.values().next().value?.length ?? 0;
    return Array.from({ length: part.microBatches }, (_, microBatch) => {
      const ids = new Uint32Array(rows * topK);
      for (const { row, place } of placesOf(part, step, microBatch, tokens)) {
        ids.set(known.get(place) ?? [], row * topK);
      }
      return { layer, microBatch, ids };
    });
  });
}

/** Of whole sequences, from those of their rows. */
export function wholeRoutes(
  { routes }: Pick<ServedResults, "routes">,
  rows: number,
): Map<string, Uint32Array> {
  return new Map(
    [...routes].map(([layer, known]) => {
      const topK = known.values().next().value?.length ?? 0;
      const whole = new Uint32Array(rows * topK);
      for (const [place, ids] of known) whole.set(ids, place * topK);
      return [layer, whole];
    }),
  );
}

/** Rows of whole sequences at some places. */
export function rowsOfMatrix(matrix: Matrix, places: readonly number[]): RowsByPlace<Float64Array> {
  return new Map(places.map((place) => [place, rowOf(matrix, place)]));
}

/** The program as steps of one phase see it. */
function partOf(program: Program, { phase }: ServedStep): Program {
  const shape = program.phases?.[phase];
  if (shape === undefined) throw new Error(`${program.name} serves nobody`);
  const { slots, slotRows, microBatches, output } = shape;
  return { ...program, batch: slots, tokens: slots * slotRows, microBatches, output };
}

function topKOf({ tokens, microBatches }: Program, ids: Uint32Array): number {
  return ids.length / (tokens / microBatches);
}

interface RowPlace {
  readonly row: number;
  readonly place: number;
}

/** Rows that a micro-batch shows the result of: those of all new tokens, or of each request's last one. */
function shownPlaces(
  part: Program,
  step: ServedStep,
  microBatch: number,
  sequence: number,
): RowPlace[] {
  const { batch, tokens, microBatches, output } = part;
  const places = placesOf(part, step, microBatch, sequence);
  if (output.rows * microBatches === tokens) return places;
  const slotRows = tokens / batch;
  const last = new Map(
    places.map(({ row, place }) => [Math.floor(row / slotRows), place] as const),
  );
  return [...last].map(([row, place]) => ({ row, place }));
}

/** Places whose result some step shows. */
export function placesShown(
  program: Program,
  tokens: number,
  steps: readonly ServedStep[],
): number[] {
  return steps.flatMap((step) => {
    const part = partOf(program, step);
    return Array.from({ length: part.microBatches }, (_, microBatch) =>
      shownPlaces(part, step, microBatch, tokens).map(({ place }) => place),
    ).flat();
  });
}

/** Rows of a micro-batch that are some request's, and their places in the whole. */
function placesOf(
  { batch, tokens, microBatches }: Program,
  { slots }: ServedStep,
  microBatch: number,
  sequence: number,
): RowPlace[] {
  const slotRows = tokens / batch;
  const first = (microBatch * batch) / microBatches;
  return slots.slice(first, first + batch / microBatches).flatMap((served, slot) =>
    served === undefined
      ? []
      : Array.from({ length: served.tokens }, (_, j) => ({
          row: slot * slotRows + j,
          place: served.request * sequence + served.first + j,
        })),
  );
}
