import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import { paddedVocabulary } from "../../src/plan/padded_vocabulary.ts";
import { countParameters } from "../../src/plan/parameters.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { worstError } from "../support/worst_error.ts";
import { errorsOf, found, infosOf, warningsOf, withDegrees } from "./checked.ts";

function multiples(vocabulary: number, tensor: number, vocabularyMultiple?: number) {
  return paddedVocabulary(vocabulary, {
    tensor,
    ...(vocabularyMultiple === undefined ? {} : { vocabularyMultiple }),
  });
}

test.each([
  // Megatron-LM's rule, where tensor does not divide the vocabulary.
  [50_257, 1, undefined, undefined],
  [50_257, 2, undefined, 50_432],
  [50_257, 8, undefined, 51_200],
  [50_258, 2, undefined, undefined],
  [50_432, 2, undefined, undefined],
  [11, 3, undefined, 384],
  // The plan's own.
  [50_257, 1, 64, 50_304],
  [50_257, 2, 64, 50_304],
  [50_304, 2, 64, undefined],
  [50_257, 3, 64, 50_304],
  [50_257, 5, 64, 50_560],
  [50_258, 2, 64, 50_304],
])(
  "a vocabulary of %i over %i ranks, to a multiple of %s: %s",
  (size, tensor, multiple, padded) => {
    const padding = multiples(size, tensor, multiple);
    expect(padding?.vocabulary).toBe(padded);
    expect((padding?.vocabulary ?? 0) % tensor).toBe(0);
  },
);

function load(plan: unknown): Plan {
  const { plan: loaded } = parsePlan(JSON.stringify(plan), "plan.json");
  if (loaded === undefined) throw new Error("the plan does not load");
  return loaded;
}
function withVocabulary(vocabulary: number, parallel: Record<string, unknown> = {}) {
  return withDegrees({ model: { vocabulary }, parallel });
}

test("embedding and head are padded, and it is said with both numbers and whose rule it is", () => {
  const plan = withVocabulary(50_257);
  expect(errorsOf(plan)).toEqual([]);
  expect(infosOf(plan)).toContain("vocabulary-padded");
  const { message } = found(plan, "vocabulary-padded") ?? {};
  expect(message).toContain("50432 rows for a vocabulary of 50257");
  expect(message).toContain("128 × tensor 2 = 256, as Megatron-LM pads");
  const { stages } = load(plan);
  expect(stages[0]?.layers[0]).toMatchObject({ op: "embedding", vocabulary: 50_432 });
  expect(stages[0]?.layers.at(-1)).toMatchObject({ op: "linear", out: 50_432 });
});

test("a plan can give the multiple", () => {
  const plan = withVocabulary(50_257, { vocabularyMultiple: 64 });
  expect(found(plan, "vocabulary-padded")?.message).toContain(
    "50304 rows for a vocabulary of 50257: a multiple of 64, as parallel.vocabularyMultiple 64 asks",
  );
  expect(load(plan).stages[0]?.layers[0]).toMatchObject({ vocabulary: 50_304 });
  expect(warningsOf(withVocabulary(50_304, { vocabularyMultiple: 64 }))).toEqual([]);
});

test("a vocabulary that tensor divides is kept, with the advice of before", () => {
  const plan = withVocabulary(50_258);
  expect(warningsOf(plan)).toEqual(["vocabulary-not-padded"]);
  expect(load(plan).stages[0]?.layers[0]).toMatchObject({ vocabulary: 50_258 });
});

test("parameters are counted as the model has them, memory as the layers do", () => {
  const plan = load(withVocabulary(50_257));
  const unpadded = load(withVocabulary(50_257, { tensor: 1, expert: 1 }));
  const { parameters } = estimatePlan(plan);
  expect(parameters.total).toBe(countParameters(unpadded.model!).total);
  expect(parameters.inProgram - estimatePlan(unpadded).parameters.inProgram).toBe(
    2 * (50_432 - 50_257) * 32,
  );
});

test("what a padded plan computes is what its layers mean", async () => {
  const plan = load(withVocabulary(11, { vocabularyMultiple: 4 }));
  expect(plan.stages[0]?.layers[0]).toMatchObject({ vocabulary: 12 });
  expect(await worstError(plan)).toBeLessThan(1e-5);
});
