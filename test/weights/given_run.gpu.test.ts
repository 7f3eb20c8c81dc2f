// Runs with weights from files: the same bits as with the seed that the files were written from.

import { expect, test } from "vitest";
import { logitsOf, promptPlan } from "../../src/harness/logits.ts";
import { runPlan } from "../../src/harness/run_plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { commonBinding } from "../../src/program/tile.ts";
import { forward } from "../../src/reference/forward.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { type GivenContents, openGiven } from "../../src/weights/given_source.ts";
import { matchWeights } from "../../src/weights/names/match_weights.ts";
import {
  checkpointOf,
  llama,
  mixtral,
  planOf,
  type Layout,
} from "../support/checkpoint_layouts.ts";
import { adapterUnderTest, describeOnOneAdapter, testGpu } from "../support/gpu.ts";
import { hashedWeights } from "../support/hashed_weights.ts";

const adapter = adapterUnderTest();

async function givenOf(plan: Plan, layout: Layout): Promise<GivenContents> {
  const folder = await checkpointOf(layout, hashedWeights(lower(plan)));
  return { weights: matchWeights(plan, lower(plan), await openCheckpoint(folder)) };
}

async function digestsOf(plan: Plan, given?: GivenContents) {
  const program = lower(plan);
  const { choice } = (await testGpu()).report;
  const placement = program.ranks.map(() => choice);
  const pool = await openRanks(program, placement, given === undefined ? {} : { given });
  try {
    await pool.steps(1);
    return await pool.askAll("digests", {});
  } finally {
    await pool.close();
  }
}

/** Two ranks share it without padding. */
const even = { vocabulary: 38 };

const routed = { moe: { experts: 3, topK: 2, ffn: 12 } };

describeOnOneAdapter("a run with weights from files", () => {
  test.each<[string, object, object, number, Layout]>([
    ["a tensor group", even, { tensor: 2 }, 2, llama],
    ["experts on two ranks", routed, { data: 2, expert: 2 }, 2, mixtral],
    ["a vocabulary in tiles", { vocabulary: 300 }, {}, 1, llama],
  ])("%s: the same digests as with the seed's", async (what, model, parallel, gpus, layout) => {
    const own = planOf(model, parallel, gpus);
    const isCut = what.endsWith("tiles");
    const maxBinding = isCut ? 128 * (own.model?.hidden ?? 0) * 4 : commonBinding;
    const plan = { ...own, hardware: { ...own.hardware, maxBinding } };
    const ids = lower(plan).ranks.flatMap(({ buffers }) => buffers.map(({ id }) => id));
    expect(ids.some((id) => id.endsWith("weight 3 of 3"))).toBe(isCut);
    // Another seed, which then makes nothing but the input.
    const given = await givenOf(plan, layout);
    const fromSeed = await digestsOf(plan);
    expect(await digestsOf(plan, given)).toEqual(fromSeed);
    const other = { ...plan, workload: { ...plan.workload, seed: 12 } };
    expect(await digestsOf(other)).not.toEqual(fromSeed);
  });

  test.each(["oracle", "unsharded"] as const)("is checked with them, %s", async (check) => {
    const plan = planOf(even, { tensor: 2 }, 2);
    const given = await givenOf(plan, llama);
    const other = { ...plan, workload: { ...plan.workload, seed: 12 } };
    const result = await runPlan(other, { adapter, numericsOnly: true, check, given });
    expect(result.outcome).toEqual({ state: "complete" });
    expect(result.check?.error).toBeLessThanOrEqual(1e-5);
    expect(result.notes.join()).toMatch(/weights are those of .*shardbench-given/);
  });

  test("gives the reference's logits for a prompt, of the model's vocabulary", async () => {
    const tokens = [3, 1, 36, 0, 7];
    const plan = promptPlan(planOf({}, { tensor: 2, vocabularyMultiple: 8, data: 2 }, 4), 5);
    expect(plan.workload).toMatchObject({ batch: 2, microBatches: 1, sequence: 5 });
    const whole = planOf({}, {}, 1);
    const folder = await checkpointOf(llama, hashedWeights(lower(whole)));
    const checkpoint = await openCheckpoint(folder);
    const program = lower(plan);
    const given = { weights: matchWeights(plan, program, checkpoint), tokens };
    const found = await logitsOf(plan, program, given, { adapter });
    expect([found.rows, found.columns]).toEqual([5, 37]);
    const alone = promptPlan(whole, 5);
    const own = { weights: matchWeights(whole, lower(whole), checkpoint), tokens };
    const { output } = await forward(alone, 0, new Map(), openGiven(0, own));
    const largest = Math.max(...output.data.map(Math.abs));
    for (const [i, logit] of output.data.entries()) {
      expect(Math.abs(logit - (found.data[i] ?? Number.NaN))).toBeLessThan(2e-6 * largest);
    }
  });
});
