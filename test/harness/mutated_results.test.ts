// Whatever a result file says, it is read or refused: no fault of the program, and no end of waiting.

import { expect, test } from "vitest";
import { seededRandom } from "../../src/seeded_random.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";
import { mutatedResult } from "../support/mutate_result.ts";
import { readMutated } from "../support/read_mutated.ts";

const names = ["three-stage-pipeline.json", "smoke/moe-ep2.yaml", "smoke/pipeline-1f1b.yaml"];

test.each(names)("300 mutated results of %s are read or refused", async (name) => {
  const plan = await planOf(name);
  const text = textOfResult(runOf(plan));
  const random = seededRandom(7);
  const ends = Array.from({ length: 300 }, () => readMutated(mutatedResult(text, random), plan));
  expect(ends.flatMap(({ fault }) => fault ?? [])).toEqual([]);
  // The mutations reach beyond the digest, and some change nothing that counts.
  const refused = ends.filter(({ refusal }) => refusal !== undefined);
  expect(refused.length).toBeGreaterThan(150);
  expect(refused.filter(({ refusal }) => refusal?.includes("edited")).length).toBeLessThan(120);
});

test("control: the result itself is read", async () => {
  const plan = await planOf(names[0] ?? "");
  expect(readMutated(textOfResult(runOf(plan)), plan)).toEqual({});
});

test("brackets without end are refused", async () => {
  const plan = await planOf(names[0] ?? "");
  const deep = `{"schemaVersion":5,"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`;
  expect(readMutated(deep, plan).refusal).toContain("more than 32 levels");
});
