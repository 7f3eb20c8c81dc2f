// Puts what steps of serving show together as rows of whole sequences.

import type { Program } from "../../program/program.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import { matrix, type Matrix, rowOf } from "../../reference/tensor.ts";
import type { ObservedBuffer } from "../../runtime/observation.ts";
import { assembleOutputs, assembleRoutes } from "../assemble.ts";

export interface Sequences {
  readonly requests: number;
  /** Tokens of each. */
  readonly tokens: number;
}

export interface ServedRowsShown {
  /** [requests · tokens, columns], as often as ranks hold results; rows that no step worked on are NaN. */
  readonly outputs: readonly Matrix[];
  /** Expert choices [requests · tokens, topK] by layer. */
  readonly routes: ReadonlyMap<string, Uint32Array<ArrayBuffer>>;
}

/** One step and what its ranks showed. */
export interface ShownStep {
  readonly step: ServedStep;
  readonly observed: readonly ObservedBuffer[];
}

export function assembleServed(
  program: Program,
  { requests, tokens }: Sequences,
  shown: readonly ShownStep[],
): ServedRowsShown {
  const outputs: Matrix[] = [];
  const routes = new Map<string, Uint32Array<ArrayBuffer>>();
  const wholeOutput = (copy: number, columns: number): Matrix => {
    const known = outputs[copy];
    if (known !== undefined) return known;
    const whole = matrix(requests * tokens, columns);
    whole.data.fill(Number.NaN);
    outputs[copy] = whole;
    return whole;
  };
  for (const { step, observed } of shown) {
    const part = partOf(program, step);
    for (let microBatch = 0; microBatch < part.microBatches; microBatch++) {
      const places = placesOf(part, step, microBatch, tokens);
      for (const [copy, own] of assembleOutputs(part, observed, microBatch).entries()) {
        const whole = wholeOutput(copy, own.columns);
        for (const { row, place } of places) rowOf(whole, place).set(rowOf(own, row));
      }
      for (const [layer, ids] of assembleRoutes(part, observed, microBatch)) {
        const topK = ids.length / (part.tokens / part.microBatches);
        const whole = routes.get(layer) ?? new Uint32Array(requests * tokens * topK);
        routes.set(layer, whole);
        for (const { row, place } of places) {
          whole.set(ids.subarray(row * topK, (row + 1) * topK), place * topK);
        }
      }
    }
  }
  return { outputs, routes };
}

/** The program as steps of one phase see it. */
const partOf = (program: Program, { phase }: ServedStep): Program => {
  const shape = program.phases?.[phase];
  if (shape === undefined) throw new Error(`${program.name} serves nobody`);
  const { slots, slotRows, microBatches, output } = shape;
  return { ...program, batch: slots, tokens: slots * slotRows, microBatches, output };
};

/** Rows of a micro-batch that are some request's, and their places in the whole. */
const placesOf = (
  { batch, tokens, microBatches }: Program,
  { slots }: ServedStep,
  microBatch: number,
  sequence: number,
): { readonly row: number; readonly place: number }[] => {
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
};
