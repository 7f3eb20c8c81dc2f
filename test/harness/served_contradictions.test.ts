// Rounds that no run of a plan can have had are found, each by what is wrong with it.

import { expect, test } from "vitest";
import type { StepSample } from "../../src/measure/sample.ts";
import { servedContradictions } from "../../src/harness/serving/served_contradictions.ts";
import type { ServedRound } from "../../src/measure/serving.ts";
import { planOf } from "../support/written_plan.ts";

const plan = planOf(`
name: served
hardware: { gpus: 1 }
workload: { mode: serving, batch: 2, inputTokens: 4, outputTokens: 3 }
model: { layers: 1, hidden: 8, heads: 2, ffn: 8 }
`);
const round: ServedRound = {
  run: 0,
  arrivalMs: [0, 0],
  tokenMs: [
    [5, 7, 9],
    [5, 7, 9],
  ],
  prefillSteps: 1,
  decodeSteps: 2,
  wallMs: 9,
  pagesUsed: 2,
  pages: 2,
};

function sample(wallMs: number): StepSample {
  const parts = { ranks: [], layers: [], communication: [], kernels: [], experts: [] };
  return { ...parts, provenance: "measured", run: 0, step: 0, wallMs };
}

const samples = [sample(2), sample(2)];

test("control: rounds as they are taken", () => {
  expect(servedContradictions(plan, [round], samples)).toEqual([]);
});

test.each<[string, Partial<ServedRound>, RegExp]>([
  ["a first token before its request", { arrivalMs: [6, 0] }, /arrivalMs|in order/],
  ["other arrivals", { arrivalMs: [1, 0] }, /arrivalMs are not those/],
  ["a request too few", { tokenMs: [[5, 7, 9]], arrivalMs: [0, 0] }, /of each of 2 requests/],
  [
    "a token too few",
    {
      tokenMs: [
        [5, 7, 9],
        [5, 9],
      ],
    },
    /has not 3 tokens/,
  ],
  [
    "tokens out of order",
    {
      tokenMs: [
        [7, 5, 9],
        [5, 7, 9],
      ],
    },
    /tokenMs.0 are not in order/,
  ],
  ["an end before the last token", { wallMs: 8 }, /last token came at 9/],
  ["an end after the last token", { wallMs: 10 }, /last token came at 9/],
  ["too few steps", { decodeSteps: 1 }, /too few for its tokens/],
  ["more pages than there are", { pagesUsed: 3 }, /used 3 of 2/],
  ["steps without a sample", { decodeSteps: 3 }, /served 3 decode steps, and has samples of 2/],
  [
    "tokens that come faster than the steps that gave them",
    {
      tokenMs: [
        [0.1, 0.2, 0.3],
        [0.1, 0.2, 0.3],
      ],
      wallMs: 0.3,
    },
    /took 4 ms of rounds of 0.3 ms/,
  ],
])("%s", (_, change, message) => {
  const found = servedContradictions(plan, [{ ...round, ...change }], samples);
  expect(found.join("\n")).toMatch(message);
});

test("samples without rounds, and rounds of a plan that serves nobody", () => {
  expect(servedContradictions(plan, undefined, samples)).toHaveLength(1);
  const other = planOf(
    "{ name: o, hardware: { gpus: 1 }, workload: { batch: 1 }, model: { layers: 1, hidden: 8, heads: 2 } }",
  );
  expect(servedContradictions(other, [round], [])).toHaveLength(1);
  expect(servedContradictions(other, undefined, samples)).toEqual([]);
});
