// A plan that is made smaller runs, its numbers are right, and its result speaks of the full plan.

import { expect, test } from "vitest";
import { parseResult } from "../../../src/harness/earlier_result.ts";
import { fitPlan, scaledRecord } from "../../../src/harness/fit/fit_plan.ts";
import { thisMachine } from "../../../src/harness/fit/machine.ts";
import { runPlan } from "../../../src/harness/run_plan.ts";
import { normalise } from "../../../src/plan/normalise.ts";
import { planSchema } from "../../../src/plan/schema.ts";
import { textOfResult } from "../../../src/result/result_text.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../../support/gpu.ts";

const adapter = adapterUnderTest();

const full = planSchema.parse({
  name: "full",
  hardware: { gpus: 2 },
  workload: { batch: 4, microBatches: 2, sequence: 16 },
  model: {
    layers: 2000,
    hidden: 64,
    heads: 4,
    kvHeads: 2,
    ffn: 96,
    vocabulary: 256,
    moe: { experts: 4, topK: 1, ffn: 32, denseLayers: [0, 7] },
  },
  parallel: { tensor: 2, expert: 2 },
  claims: { samplesPerSecond: 1e9, expertsPerGpu: 2 },
});

describeOnOneAdapter("a scaled run", () => {
  test("is right, allocates what was estimated, and projects the full plan", async () => {
    const fit = fitPlan(full, await thisMachine({ adapter, memory: 2e9 }), { timeMs: 15_000 });
    expect(fit.reductions.map(({ dimension }) => dimension)).toEqual(["layers"]);
    expect(fit.file.model?.moe?.denseLayers).toHaveLength(1);
    const scaled = scaledRecord(full, fit);
    if (scaled === undefined) throw new Error("it was made smaller");
    const result = await runPlan(fit.plan, { adapter, scaled, samples: 5, tune: false });

    expect(result.outcome).toEqual({ state: "complete" });
    expect(result.check?.error).toBeLessThanOrEqual(result.check?.tolerance ?? 0);
    expect(result.memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      result.estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
    const { stepMs } = result.scaled?.projected ?? {};
    expect(stepMs?.provenance).toBe("projected");
    expect(stepMs?.value).toBeGreaterThan(result.metrics.stepMs?.value ?? Infinity);
    expect(result.verdicts.map(({ claim, judgement }) => [claim, judgement])).toEqual([
      ["samplesPerSecond", "untestable"],
      ["expertsPerGpu", "confirmed"],
    ]);

    const { plan } = normalise(full);
    if (plan === undefined) throw new Error("it has no meaning");
    const again = parseResult(textOfResult(result), "result.json", plan);
    expect(again.scaled).toEqual(JSON.parse(JSON.stringify(result.scaled)));
  });
});
