// Files of `ablate` and `scaling` beside a result: what they say of a plan is taken only where it follows from their steps.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effectsOf, spentBy } from "../../src/harness/ablation_effects.ts";
import { ablationVariants, runVariants } from "../../src/harness/ablation_variants.ts";
import { readAblation, readScaling } from "../../src/harness/read_beside.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { ablationSection } from "../../src/report/ablate_report.ts";
import { scalingSection } from "../../src/report/scaling_report.ts";
import { type Ablation, ablationKind } from "../../src/result/ablation.ts";
import { workHash } from "../../src/result/plan_hash.ts";
import { type Scaling, scalingKind } from "../../src/result/scaling.ts";
import { seal } from "../../src/result/seal.ts";
import { measured, planOf, softwareOf } from "../support/given.ts";

const plan = await planOf("training-techniques.yaml");
const other = await planOf("training-small.yaml");
const versions = { shardbench: "0", node: "20", webgpu: "0", os: "linux" };
const common = { version: 1, date: "2026-01-01T00:00:00.000Z", versions } as const;

function ablationOf(of: Plan): Ablation {
  const variants = ablationVariants(of);
  const timed = runVariants(variants).map((variant, at) => ({
    off: variant.off,
    stepMs: [10, 11, 12, 10, 11, 10, 12].map((ms, round) => ms + at + 0.1 * round),
    ...spentBy(variant),
    error: 1e-7,
    tolerance: 1e-5,
    training: { loss: 2, lossError: 1e-8, gradientError: 2e-7 },
  }));
  return {
    ...common,
    kind: ablationKind,
    name: of.name,
    work: workHash(of),
    adapters: softwareOf(2),
    variants: timed,
    ...effectsOf(variants, timed),
  };
}

function scalingOf(of: Plan): Scaling {
  return {
    ...common,
    kind: scalingKind,
    name: of.name,
    work: workHash(of),
    adapters: softwareOf(2),
    sizes: [
      {
        kind: "strong",
        gpus: 2,
        state: "timed",
        split: "TP 2",
        batch: 8,
        turns: 3,
        turnMs: [
          { alone: 10, together: 8 },
          { alone: 12, together: 8 },
          { alone: 11, together: 8 },
        ],
        aloneMs: measured(11, "ms", [10, 12]),
        stepMs: measured(8, "ms", [8, 8]),
        efficiency: measured(11 / 16, "share", [10 / 16, 12 / 16]),
        loss: { compute: 0, communication: 0.2, imbalance: 0, waiting: 0.1, host: 0 },
      },
    ],
    verdicts: [],
  };
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "beside-"));
});
afterAll(async () => rm(folder, { recursive: true }));

async function written(content: object): Promise<string> {
  const file = join(folder, "beside.json");
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe("an ablation", () => {
  const sound = ablationOf(plan);
  const [asItIs, ...rest] = sound.variants;
  if (asItIs === undefined) throw new Error("no variant");

  test("is read as it was written, and has a section in a run's page", async () => {
    const found = await readAblation(await written(seal(sound)), plan);
    expect(found).toEqual(sound);
    const { title, parts } = ablationSection(found);
    expect(title).toBe("Techniques");
    expect(parts).toHaveLength(2);
  });

  test.each([
    ["unsealed", { ...seal(sound), name: "another" }, /edited/],
    ["of another plan", seal(ablationOf(other)), /other work/],
    [
      "of other steps",
      seal({
        ...sound,
        variants: [{ ...asItIs, stepMs: asItIs.stepMs.map((ms) => ms / 2) }, ...rest],
      }),
      /effects are not those of its steps/,
    ],
    ["of fewer effects", seal({ ...sound, pairs: [] }), /effects are not those/],
    [
      "of a variant that the plan has not",
      seal({ ...sound, variants: [asItIs, { ...asItIs, off: ["sorcery"] }] }),
      /other variants/,
    ],
    [
      "of wrong numbers",
      seal({ ...sound, variants: [{ ...asItIs, error: 1 }, ...rest] }),
      /numbers are wrong/,
    ],
    ["of scaling", seal(scalingOf(plan)), /kind|variants/],
    ["no object", [1], /no object/],
    ["deeper than any file", JSON.parse(`${'{"a":'.repeat(500)}1${"}".repeat(500)}`), /levels/],
  ])("%s is refused", async (_, content, why) => {
    await expect(readAblation(await written(content), plan)).rejects.toThrow(why);
  });

  test("memory and bytes are those of the programs, whatever the file says", async () => {
    const variants = sound.variants.map((each) => ({ ...each, wireBytes: 1, memory: {} }));
    const found = await readAblation(await written(seal({ ...sound, variants })), plan);
    expect(found).toEqual(sound);
  });
});

describe("scaling", () => {
  const sound = scalingOf(plan);
  const [size] = sound.sizes;
  if (size?.state !== "timed") throw new Error("no size");

  test("is read as it was written, and has a section in a run's page", async () => {
    const found = await readScaling(await written(seal(sound)), plan);
    expect(found).toEqual(sound);
    expect(scalingSection(found).parts).toHaveLength(3);
  });

  test.each([
    ["unsealed", { ...seal(sound), name: "another" }, /edited/],
    ["of another plan", seal(scalingOf(other)), /other work/],
    [
      "of another efficiency",
      seal({ ...sound, sizes: [{ ...size, efficiency: measured(0.9, "share", [0.8, 0.95]) }] }),
      /not those of its turns/,
    ],
    [
      "of an interval without its median",
      seal({ ...sound, sizes: [{ ...size, stepMs: measured(8, "ms", [9, 10]) }] }),
      /not those of its turns/,
    ],
    ["of more turns than it has", seal({ ...sound, sizes: [{ ...size, turns: 9 }] }), /turns/],
  ])("%s is refused", async (_, content, why) => {
    await expect(readScaling(await written(content), plan)).rejects.toThrow(why);
  });
});
