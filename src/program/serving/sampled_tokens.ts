// Tokens that requests are given, picked by the host from what steps show of their logits.

import { NumericsError } from "../../numerics_error.ts";
import type { Plan } from "../../plan/plan.ts";
import { noToken } from "../../kernels/top_logits.ts";
import type { Observation } from "../observation.ts";
import type { Program } from "../program.ts";
import { type Candidate, pickToken } from "./pick_token.ts";
import { tokensGivenBy } from "./scheduler.ts";
import type { ServedRequest, ServedStep } from "./served.ts";

/** What a rank showed in a step. */
export interface ShownCandidates {
  readonly microBatch: number;
  readonly observation: Observation;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SampledTokens {
  /** The step with the ids of its tokens, but for those of prompts. */
  given(step: ServedStep): ServedStep;
  /** Picks a token for each request that the step gives one. @throws NumericsError where logits are no numbers */
  take(step: ServedStep, shown: readonly ShownCandidates[]): void;
  /** Undefined for tokens of prompts, and those that are not known yet. */
  at(request: number, place: number): number | undefined;
}

/** Undefined where the plan does not sample. @param program lowered from the plan */
export function createSampledTokens(
  { workload }: Pick<Plan, "workload">,
  { phases }: Pick<Program, "phases">,
): SampledTokens | undefined {
  const { sampling, inputTokens = 0 } = workload.serving ?? {};
  if (sampling === undefined) return undefined;
  /** By request, from the first behind its prompt on. */
  const tokens = new Map<number, number[]>();
  const at: SampledTokens["at"] = (request, place) => tokens.get(request)?.[place - inputTokens];
  const idsOf = ({ request, first, tokens: count }: ServedRequest): number[] =>
    Array.from({ length: count }, (_, i) => {
      const id = at(request, first + i);
      if (id === undefined)
        throw new Error(`token ${first + i} of request ${request} is not known`);
      return id;
    });
  return {
    at,
    given: (step) => ({
      ...step,
      slots: step.slots.map((served) =>
        served === undefined || served.first < inputTokens
          ? served
          : { ...served, given: idsOf(served) },
      ),
    }),
    take(step, shown) {
      const shape = phases?.[step.phase];
      if (shape === undefined) throw new Error("the program serves nobody");
      const { slots, slotRows, microBatches, output } = shape;
      const together = slots / microBatches;
      const isAllRows = output.rows * microBatches === slots * slotRows;
      const giving = new Set(tokensGivenBy(step, { inputTokens }));
      for (const [slot, served] of step.slots.entries()) {
        if (served === undefined || !giving.has(served.request)) continue;
        const inMicroBatch = slot % together;
        const row = isAllRows ? inMicroBatch * slotRows + served.tokens - 1 : inMicroBatch;
        const place = served.first + served.tokens;
        const { request } = served;
        const own = shown.filter(({ microBatch }) => microBatch === Math.floor(slot / together));
        const id = pickToken(candidatesIn(own, row), sampling, { request, place });
        if (id === undefined) {
          throw new NumericsError(`request ${request} has no logit at token ${place}`, Infinity, 0);
        }
        const known = tokens.get(request) ?? [];
        known[place - inputTokens] = id;
        tokens.set(request, known);
      }
    },
  };
}

/** Of a row of a micro-batch, from every rank that has some of its logits. */
function candidatesIn(shown: readonly ShownCandidates[], row: number): Candidate[] {
  return shown.flatMap(({ observation, bytes }) => {
    if (observation.kind !== "candidates") return [];
    const { rowOffset, rows, count } = observation;
    if (row < rowOffset || row >= rowOffset + rows) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, i): Candidate => {
      const word = 8 * ((row - rowOffset) * count + i);
      return { logit: view.getFloat32(word, true), id: view.getUint32(word + 4, true) };
    }).filter(({ id }) => id !== noToken);
  });
}
