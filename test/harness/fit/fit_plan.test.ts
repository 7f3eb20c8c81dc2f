// What a machine can run of a plan: the largest that fits, and why no more.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AdapterReport } from "../../../src/gpu/adapter.ts";
import { costOf, exceededBy } from "../../../src/harness/fit/cost.ts";
import { type Fit, fitPlan } from "../../../src/harness/fit/fit_plan.ts";
import { type Machine, machineOf } from "../../../src/harness/fit/machine.ts";
import { normalise } from "../../../src/plan/normalise.ts";
import { type PlanFile, planSchema } from "../../../src/plan/schema.ts";
import { largestBuffers } from "../../../src/program/largest_buffers.ts";
import { lower } from "../../../src/program/lower.ts";
import { arbitraryDegreesFile } from "../../support/arbitrary_degrees.ts";

interface Offer {
  readonly id?: string;
  readonly software?: boolean;
  readonly name?: string;
  readonly binding?: number;
  readonly cores?: number;
  readonly free?: number;
  readonly memory?: number;
  readonly gpus?: number;
}

function machine({
  id = "swiftshader",
  software = true,
  name = "some adapter",
  binding = 2 ** 30,
  cores = 2,
  free = 16e9,
  memory,
  gpus = 1,
}: Offer = {}): Machine {
  return machineOf(
    (ranks) =>
      Array.from({ length: ranks }, (_, rank): AdapterReport => ({
        choice: {
          id: software ? id : `gpu${rank % gpus}`,
          name,
          software,
          loader: "system",
          ordinal: 0,
        },
        vendor: "",
        architecture: "",
        device: "",
        driver: "",
        features: [],
        limits: { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: binding },
      })),
    () => undefined,
    memory,
    { cores, free },
  );
}

const llama: PlanFile = planSchema.parse({
  name: "llama",
  hardware: { gpus: 8 },
  workload: { batch: 1, sequence: 1024, dtype: "f16" },
  model: {
    layers: 80,
    hidden: 8192,
    heads: 64,
    kvHeads: 8,
    ffn: 28672,
    gated: true,
    vocabulary: 128_256,
  },
  parallel: { tensor: 8 },
});

function sizeOf({ reductions, kept }: Fit, name: string): number | undefined {
  return (
    reductions.find(({ dimension }) => dimension === name)?.scaled ??
    kept.find(({ dimension }) => dimension === name)?.size
  );
}

function reduced({ reductions }: Fit): string[] {
  return reductions.map(({ dimension }) => dimension);
}

function limitsOf(fit: Fit, name: string): string[] | undefined {
  return fit.reductions
    .find(({ dimension }) => dimension === name)
    ?.because.map(({ limit }) => limit);
}

describe("fitting a plan to a machine", () => {
  test("control: a plan that fits is not touched", () => {
    const small = planSchema.parse({
      ...llama,
      model: {
        ...llama.model,
        layers: 1,
        vocabulary: 1024,
        hidden: 512,
        heads: 8,
        kvHeads: 8,
        ffn: 512,
      },
      parallel: { tensor: 2 },
      hardware: { gpus: 2 },
    });
    const fit = fitPlan(small, machine());
    expect(fit.file).toBe(small);
    expect(fit.reductions).toEqual([]);
  });

  test("what is left fits, nothing of it is larger, and fitting it again changes nothing", () => {
    const offers = fc.record({
      cores: fc.integer({ min: 1, max: 8 }),
      free: fc.double({ min: 2e9, max: 16e9, noNaN: true }),
      binding: fc.integer({ min: 2 ** 10, max: 2 ** 16 }),
      timeMs: fc.double({ min: 15_000, max: 60_000, noNaN: true }),
    });
    let fitted = 0;
    fc.assert(
      fc.property(arbitraryDegreesFile({ maxDepth: 3 }), offers, (full, { timeMs, ...offer }) => {
        const own = machine(offer);
        const fit = fitPlan(full, own, { timeMs });
        expect(fit.reductions.every((each) => each.scaled < each.full)).toBe(true);
        if (fit.exceeded.length > 0) return;
        fitted += 1;
        expect(exceededBy(costOf(fit.plan, own), own, timeMs)).toEqual([]);
        const again = fitPlan(fit.file, own, { timeMs });
        expect(again.file).toBe(fit.file);
      }),
      { numRuns: 20, seed: 1 },
    );
    expect(fitted).toBeGreaterThan(5);
  });

  test("what one binding may hold reduces no vocabulary", () => {
    const layer = planSchema.parse({
      ...llama,
      hardware: { gpus: 1 },
      model: { ...llama.model, layers: 1, hidden: 4096, heads: 32, ffn: 14_336 },
      parallel: {},
    });
    const room = machine({ cores: 64, free: 60e9, binding: 2 ** 27 });
    expect(fitPlan(layer, room, { timeMs: 1e8 }).reductions).toEqual([]);
  });

  test("layers go first, and the widths of the rest stay", () => {
    const fit = fitPlan(llama, machine({ cores: 64, free: 60e9 }), { timeMs: 1e8 });
    expect(reduced(fit)).toEqual(["layers"]);
    expect(limitsOf(fit, "layers")).toEqual(["host memory"]);
  });

  test("a first figure on two cores keeps the width, and says what it costs", () => {
    const fit = fitPlan(llama, machine());
    expect(sizeOf(fit, "hidden size")).toBe(8192);
    expect(fit.cost.totalMs).toBeLessThanOrEqual(60_000);
    expect(fit.reductions.filter(({ because }) => because.length === 0)).toEqual([]);
  });

  test("of serving, requests go before layers; the time is that of rounds over them", () => {
    const serving = planSchema.parse({
      ...llama,
      workload: {
        mode: "serving",
        batch: 4,
        requests: 400,
        inputTokens: 512,
        outputTokens: 33,
        prefillChunk: 256,
        dtype: "f16",
      },
    });
    const big = { cores: 64, free: 600e9 };
    const { cost: whole } = fitPlan(serving, machine(big), { timeMs: 1e12 });
    const fit = fitPlan(serving, machine(big), { timeMs: whole.totalMs / 2 });
    expect(reduced(fit)).toEqual(["requests"]);
    expect(sizeOf(fit, "requests")).toBeLessThan(400);
    // A hundred waves of 32 steps that decode, three times over.
    expect(whole.totalMs).toBeGreaterThan(3 * 100 * 32 * whole.stepMs);
    const small = fitPlan(serving, machine());
    expect(small.cost.totalMs).toBeLessThanOrEqual(60_000);
    expect(sizeOf(small, "hidden size")).toBeGreaterThanOrEqual(4096);
  });

  test.each([128, 16, 4])("no buffer is over a binding of %i MiB", (mebibytes) => {
    const binding = mebibytes * 2 ** 20;
    const { plan, exceeded } = fitPlan(llama, machine({ binding }), { timeMs: 600_000 });
    expect(exceeded).toEqual([]);
    const bytes = lower(plan).ranks.flatMap(({ buffers }) =>
      buffers.filter(({ role }) => role !== "activation").map((buffer) => buffer.bytes),
    );
    expect(Math.max(...bytes)).toBeLessThanOrEqual(binding);
  });

  test("ranks that two cores cannot run go: replicas before stages, tensor ranks last", () => {
    const wide = planSchema.parse({
      ...llama,
      hardware: { gpus: 64 },
      workload: { batch: 32, microBatches: 4, sequence: 16 },
      parallel: { tensor: 2, pipeline: 4, data: 8 },
    });
    const fit = fitPlan(wide, machine({ cores: 4, free: 200e9 }), { timeMs: 600_000 });
    expect(sizeOf(fit, "data replicas")).toBe(1);
    expect(sizeOf(fit, "pipeline ranks")).toBe(4);
    expect(sizeOf(fit, "tensor ranks")).toBe(2);
    expect(limitsOf(fit, "data replicas")).toContain("ranks");
  });

  test("hardware has the memory of its datasheet, or what is said", () => {
    const sheet = machine({ software: false, name: "NVIDIA H200", gpus: 2 });
    expect(sheet.place(2).map(({ id, memoryFrom }) => [id, memoryFrom])).toEqual([
      ["gpu0", "of H200"],
      ["gpu1", "of H200"],
    ]);
    expect(sheet.place(1)[0]?.memoryBytes).toBeCloseTo(0.85 * 141e9, -9);
    expect(machine({ software: false, memory: 8e9 }).place(1)[0]).toMatchObject({
      memoryBytes: 8e9,
      memoryFrom: "as given",
    });
  });

  test("what nothing can make fit is said", () => {
    const fit = fitPlan(llama, machine({ memory: 1e6 }));
    expect(fit.exceeded.map(({ limit }) => limit)).toContain("host memory");
  });
});

describe("the largest buffers", () => {
  test("are those that the program allocates", () => {
    fc.assert(
      fc.property(arbitraryDegreesFile({ maxContext: 1 }), (file) => {
        const { plan } = normalise(file);
        if (plan === undefined) throw new Error("it has no meaning");
        const buffers = lower(plan).ranks.flatMap((rank) => rank.buffers);
        const { buffer, binding } = largestBuffers(plan);
        const weights = buffers.filter(({ role }) => role === "weight").map(({ bytes }) => bytes);
        expect(binding).toBeGreaterThanOrEqual(Math.max(0, ...weights));
        expect(buffer).toBeGreaterThanOrEqual(
          Math.max(
            ...buffers.filter(({ within }) => within === undefined).map(({ bytes }) => bytes),
          ),
        );
      }),
      { numRuns: 30 },
    );
  });
});
