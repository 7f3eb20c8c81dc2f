// What follows from plans without running them, written down: programs, estimates with their bounds, wire bytes and
// simulated steps of all configs, of 300 random plans and of one on 4,096 ranks. Made before a change and after it,
// `diff -r` shows what the change did.
//
//   SHARDBENCH_SNAPSHOTS=<folder> npm run bench:snapshots

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePlan, readPlan } from "../src/plan/load.ts";
import type { Plan } from "../src/plan/plan.ts";
import { estimate, estimatePlan } from "../src/program/estimate.ts";
import { lower } from "../src/program/lower.ts";
import { simulateHardware } from "../src/program/simulate/simulate_hardware.ts";
import { arbitraryDegrees } from "../test/support/arbitrary_degrees.ts";
import { arbitraryPlan } from "../test/support/arbitrary_plan.ts";
import { pipedPlan } from "../test/support/piped_plan.ts";

const folder = process.env["SHARDBENCH_SNAPSHOTS"];
/** The same plans in every version. */
const seed = 20261130;
const peaks = { flops: 989e12, bandwidth: 3.35e12, linkBandwidth: 450e9 };

const large = `
name: ranks-4096
hardware: { gpus: 4096 }
workload: { batch: 4096, microBatches: 8, sequence: 4096, dtype: f16 }
model: { layers: 32, hidden: 8192, heads: 64, kvHeads: 8, ffn: 28672, gated: true, vocabulary: 128256 }
parallel: { tensor: 8, pipeline: 4, data: 128 }
`;

function write(name: string, what: string, content: unknown): void {
  const text = typeof content === "string" ? content : JSON.stringify(content, undefined, 1);
  writeFileSync(join(folder ?? "", `${name}.${what}.json`), `${text}\n`);
}

/** Which is refused is a fact, too. */
function orMessage(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return { throws: error instanceof Error ? error.message : String(error) };
  }
}

function take(name: string, plan: Plan, isLarge = false): void {
  write(
    name,
    "estimate",
    orMessage(() => {
      const { ranks, memory, ...rest } = estimatePlan(plan, peaks);
      return isLarge
        ? { ...rest, ranks: hashed(ranks), memory: hashed(memory) }
        : { ranks, memory, ...rest };
    }),
  );
  write(
    name,
    "simulated",
    orMessage(() => {
      const { ranks, ...rest } = simulateHardware(plan, peaks, 0.005);
      return { ...rest, ranks: isLarge ? hashed(ranks) : ranks };
    }),
  );
  if (isLarge) return;
  write(
    name,
    "program",
    orMessage(() => {
      const program = lower(plan);
      return { ...program, estimate: estimate(program, plan) };
    }),
  );
}

function configFiles(): string[] {
  return ["configs", "configs/smoke"].flatMap((path) =>
    readdirSync(path)
      .filter((name) => /\.(json|yaml)$/.test(name) && name !== "plan.schema.json")
      .map((name) => join(path, name)),
  );
}

const piped = fc
  .record({
    p: fc.integer({ min: 1, max: 4 }),
    m: fc.integer({ min: 1, max: 8 }),
    v: fc.integer({ min: 1, max: 2 }),
    schedule: fc.constantFrom("gpipe" as const, "1f1b" as const),
  })
  .map(({ p, m, v, schedule }) => pipedPlan(p, p * m, v, schedule));

function hashed(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

test.skipIf(folder === undefined)(
  "snapshots",
  async () => {
    mkdirSync(folder ?? "", { recursive: true });
    for (const file of configFiles()) {
      const { plan } = await readPlan(file);
      if (plan !== undefined) take(file.replaceAll(/\W+/g, "_"), plan);
    }
    const of = (arbitrary: fc.Arbitrary<Plan>, count: number): Plan[] =>
      fc.sample(arbitrary, { seed, numRuns: count });
    const random = [
      ...of(arbitraryPlan("f32"), 80),
      ...of(arbitraryPlan("f16"), 80),
      ...of(arbitraryDegrees(), 80),
      ...of(piped, 60),
    ];
    for (const [i, plan] of random.entries()) take(`random_${String(i).padStart(3, "0")}`, plan);
    const { plan } = parsePlan(large, "ranks-4096.yaml");
    if (plan === undefined) throw new Error("the plan on 4,096 ranks has errors");
    take(plan.name, plan, true);
    expect(readdirSync(folder ?? "").length).toBeGreaterThan(3 * random.length);
  },
  600_000,
);
