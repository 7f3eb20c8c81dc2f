// What a run of a scaled plan says of the full one: its speed is projected, and never confirmed.

import { describe, expect, test } from "vitest";
import { judgeWhole } from "../../src/claims/judge_whole.ts";
import { projectWhole } from "../../src/claims/projected_whole.ts";
import type { Figure } from "../../src/measure/figure.ts";
import type { Metrics } from "../../src/measure/metrics.ts";
import type { Claims, Plan } from "../../src/plan/plan.ts";
import { runReport } from "../../src/report/run_report.ts";
import type { ScaledRecord } from "../../src/result/result.ts";
import { normalise } from "../../src/plan/normalise.ts";
import { type PlanFile, planSchema } from "../../src/plan/schema.ts";
import { parseResult } from "../../src/harness/earlier_result.ts";
import { planHash, workHash } from "../../src/result/plan_hash.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { adapter, softwareOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";
import { shown } from "../support/shown.ts";

interface Sizes {
  readonly layers: number;
  readonly microBatches?: number;
  readonly pipeline?: number;
  readonly vocabulary?: number;
  readonly denseLayers?: readonly number[];
  readonly claims?: Claims;
}

function fileOf({
  layers,
  microBatches = 1,
  pipeline = 1,
  vocabulary,
  denseLayers,
  claims,
}: Sizes): PlanFile {
  return planSchema.parse({
    name: "whole",
    hardware: { gpus: pipeline, memoryPerGpu: "1GB" },
    workload: { batch: 2 * microBatches, microBatches, sequence: 8 },
    model: {
      layers,
      hidden: 32,
      heads: 4,
      ffn: 64,
      ...(vocabulary === undefined ? {} : { vocabulary }),
      ...(denseLayers === undefined ? {} : { moe: { experts: 4, topK: 2, ffn: 16, denseLayers } }),
    },
    parallel: { pipeline },
    ...(claims === undefined ? {} : { claims }),
  });
}

function planOf(file: PlanFile): Plan {
  const { plan } = normalise(file);
  if (plan === undefined) throw new Error("it has no meaning");
  return plan;
}

function measured(value: number): Figure {
  return {
    value,
    unit: "ms",
    samples: 9,
    provenance: "measured",
    conditions: ["on some adapter"],
  };
}

/** As if each layer took a time of its own kind, and nothing else any. */
function metricsOf(
  { stages }: Plan,
  stepMs: number,
  times: Readonly<Record<string, number>>,
): Pick<Metrics, "stepMs" | "layers"> {
  return {
    stepMs: measured(stepMs),
    layers: stages.flatMap((stage) =>
      stage.layers.flatMap(({ op, name }) => {
        const ms = times[op];
        return ms === undefined
          ? []
          : [{ layer: `${stage.name}/${name}`, latencyMs: measured(ms) }];
      }),
    ),
  };
}

describe("the projected step of a full plan", () => {
  test("has as many blocks as the full plan, and its ends once", () => {
    const [full, small] = [
      fileOf({ layers: 10, vocabulary: 64 }),
      fileOf({ layers: 1, vocabulary: 64 }),
    ].map(planOf);
    const times = { embedding: 2, attention: 3, mlp: 5, linear: 6 };
    const whole = projectWhole(full!, small!, metricsOf(small!, 16, times));
    expect(whole.stepMs?.value).toBeCloseTo(2 + 10 * 8 + 6, 9);
    expect(whole.samplesPerSecond?.value).toBeCloseTo((1000 * 2) / 88, 9);
    expect(whole.tokensPerSecond?.value).toBeCloseTo((1000 * 16) / 88, 9);
    expect(whole.layerMs?.value).toBeCloseTo(8, 9);
    expect(whole.stepMs).toMatchObject({ provenance: "projected", samples: 9 });
    expect(whole.stepMs).not.toHaveProperty("interval");
  });

  test("what a step takes besides its layers grows with them", () => {
    const [full, small] = [fileOf({ layers: 4 }), fileOf({ layers: 2 })].map(planOf);
    const whole = projectWhole(full!, small!, metricsOf(small!, 20, { attention: 3, mlp: 5 }));
    expect(whole.stepMs?.value).toBeCloseTo(40, 9);
  });

  test("each kind of block counts as often as the full plan has it", () => {
    const full = planOf(fileOf({ layers: 6, denseLayers: [0] }));
    const small = planOf(fileOf({ layers: 2, denseLayers: [0] }));
    const whole = projectWhole(
      full,
      small,
      metricsOf(small, 20, { attention: 1, mlp: 4, moe: 14 }),
    );
    expect(whole.stepMs?.value).toBeCloseTo(6 + 4 + 5 * 14, 9);
    expect(whole.layerMs?.value).toBeCloseTo(80 / 6, 9);
  });

  test("the head goes with its rows of the vocabulary", () => {
    const full = planOf(fileOf({ layers: 1, vocabulary: 640 }));
    const small = planOf(fileOf({ layers: 1, vocabulary: 64 }));
    const whole = projectWhole(full, small, metricsOf(small, 10, { attention: 4, linear: 6 }));
    expect(whole.stepMs?.value).toBeCloseTo(4 + 60, 9);
  });

  test("a pipeline is filled once, whatever its micro-batches", () => {
    const full = planOf(fileOf({ layers: 8, pipeline: 4, microBatches: 12 }));
    const small = planOf(fileOf({ layers: 2, pipeline: 2, microBatches: 2 }));
    // Two stages of 5 ms: 2 · 5 + 5.
    const whole = projectWhole(full, small, metricsOf(small, 15, { attention: 2, mlp: 3 }));
    // Four stages of 10 ms: 12 · 10 + 3 · 10.
    expect(whole.stepMs?.value).toBeCloseTo(150, 9);
  });

  test("is absent where a kind of layer did not run, or layers were not timed", () => {
    const full = planOf(fileOf({ layers: 6, denseLayers: [0] }));
    const dense = planOf(fileOf({ layers: 2 }));
    expect(projectWhole(full, dense, metricsOf(dense, 9, { attention: 1, mlp: 4 }))).toEqual({});
    expect(projectWhole(dense, dense, metricsOf(dense, 9, {}))).toEqual({});
  });
});

const claims: Claims = {
  latencyPerLayerMs: 1,
  samplesPerSecond: 1,
  tokensPerSecond: 8,
  gpuUtilization: 0.5,
  memoryUtilization: 0.000385,
  strongScaling: 0.9,
  tensorGroupSize: 1,
};

function judged(run: { readonly software?: boolean; readonly changesLayers?: string }) {
  const full = planOf(fileOf({ layers: 10, claims }));
  const small = planOf(fileOf({ layers: 1 }));
  const { metrics } = runOf(small);
  const adapters = run.software === true ? softwareOf(1) : [adapter(0)];
  const verdicts = judgeWhole(full, {
    measurements: { adapters, metrics },
    projected: projectWhole(full, small, metrics),
    reductions: [run.changesLayers === undefined ? {} : { changesLayers: run.changesLayers }],
  });
  return new Map(verdicts.map((verdict) => [verdict.claim, verdict]));
}

describe("verdicts on a full plan", () => {
  test("on GPUs of their own speed is projected, and says so", () => {
    const verdicts = judged({});
    for (const key of ["latencyPerLayerMs", "samplesPerSecond", "tokensPerSecond"]) {
      expect(verdicts.get(key)).toMatchObject({
        judgement: "projected",
        provenance: "projected",
        found: { provenance: "projected" },
      });
    }
  });

  test.each(["software", "hardware"])(
    "nothing that a run decides is confirmed: %s adapter",
    (kind) => {
      const verdicts = judged({ software: kind === "software" });
      for (const key of Object.keys(claims).filter((each) => each !== "tensorGroupSize")) {
        expect(verdicts.get(key)?.judgement).not.toBe("confirmed");
      }
      expect(verdicts.get("tensorGroupSize")?.judgement).toBe("confirmed");
    },
  );

  test("on a software adapter the figure stands, and decides nothing", () => {
    const verdict = judged({ software: true }).get("samplesPerSecond");
    expect(verdict).toMatchObject({ judgement: "untestable", found: { provenance: "projected" } });
    expect(verdict?.reason).toContain("is a software adapter");
  });

  test("layers of another shape tell nothing of the speed", () => {
    const verdict = judged({ changesLayers: "sequences are shorter" }).get("tokensPerSecond");
    expect(verdict?.judgement).toBe("untestable");
    expect(verdict?.reason).toContain("sequences are shorter");
    expect(verdict).not.toHaveProperty("found");
  });

  test.each([
    ["gpuUtilization", "does not tell the GPU utilization"],
    ["memoryUtilization", "the scaled run held less"],
    ["strongScaling", "nothing to scale"],
  ])("%s is untestable: %s", (key, reason) => {
    expect(judged({}).get(key)).toMatchObject({ judgement: "untestable" });
    expect(judged({}).get(key)?.reason).toContain(reason);
  });
});

describe("the result of a scaled run", () => {
  const full = fileOf({ layers: 10, claims });
  const ran: PlanFile = { ...fileOf({ layers: 2 }), name: "whole-fit" };
  const record: ScaledRecord = {
    full,
    hash: planHash(planOf(full)),
    workHash: workHash(planOf(full)),
    ran,
    reductions: [
      {
        dimension: "layers",
        full: 10,
        scaled: 2,
        because: [{ limit: "time", needed: 61_000, allowed: 60_000 }],
      },
    ],
    kept: [{ dimension: "sequence", size: 8 }],
  };
  const result = runOf(planOf(ran), softwareOf(1), { state: "complete" }, undefined, record);

  test("its report says what was reduced and kept, and what the full plan would take", () => {
    const lines = shown(runReport(planOf(ran), result));
    expect(lines).toContain("Scaled plan");
    expect(lines.find((line) => line.startsWith("layers"))).toMatch(/^layers +10 +2$/);
    expect(lines.join("\n")).toContain("more would exceed the time: about 61 s of 60 s");
    expect(lines.join("\n")).toContain("kept: sequence 8");
    expect(lines).toContain("Full plan, projected");
    const { stepMs } = result.scaled?.projected ?? {};
    expect(stepMs?.conditions.at(-1)).toContain("from 2 of 10 blocks");
  });

  test.each([
    ["the full plan", full],
    ["the plan that ran", ran],
  ])("is read again for %s, and gives the same", (_, file) => {
    const again = parseResult(textOfResult(result), "result.json", planOf(file));
    expect(again.scaled).toEqual(result.scaled);
    expect(again.verdicts).toEqual(result.verdicts);
  });

  test("is refused where its full plan was exchanged for another", () => {
    const other = { ...record, full: fileOf({ layers: 11, claims }) };
    const changed = runOf(planOf(ran), softwareOf(1), { state: "complete" }, undefined, other);
    expect(() => parseResult(textOfResult(changed), "result.json", planOf(ran))).toThrow(
      "its full plan is not the one whose digests it has",
    );
  });
});
