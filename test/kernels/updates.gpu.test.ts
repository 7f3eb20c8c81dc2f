// An optimizer's kernels, one after the other as a step runs them, against the f64 rules and the check of a run.

import { expect, test } from "vitest";
import { type BeginUpdateShape, updateState } from "../../src/kernels/begin_update.ts";
import type { KernelCall } from "../../src/kernels/catalog.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { quadsPerSum, squareSums } from "../../src/kernels/sum_squares.ts";
import { adamwStep, clipFactor, globalNorm, sgdStep } from "../../src/reference/optimizers.ts";
import { checkedRun, type CheckedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { near } from "../support/near.ts";
import { output } from "../support/run_kernel.ts";
import { decode, encode, randomSource, rounded, tensor } from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

type Split = "own" | "as on GPUs";
type Held = Record<string, Uint8Array>;

function floats(values: ArrayLike<number>): Uint8Array {
  return encode(tensor(1, values.length, values), "f32");
}

function valuesOf(bytes: Uint8Array | undefined, dtype: StorageType = "f32"): Float64Array {
  const own = (bytes ?? new Uint8Array()).slice();
  const elements = own.byteLength / (dtype === "f32" ? 4 : 2);
  return decode(own.buffer, 1, elements, dtype).values;
}

/** Runs a kernel on `held`, which has what it left afterwards. */
async function advance(
  call: KernelCall,
  dtype: StorageType,
  held: Held,
  names: readonly string[],
  split: Split = "own",
): Promise<CheckedRun> {
  const changed = Object.fromEntries(names.map((name) => [name, held[name]!.length]));
  const run = await checkedRun(call, dtype, { ...held }, changed, split);
  for (const name of names) held[name] = new Uint8Array(output(run.results, name));
  return run;
}

function stateAt(held: Held, word: (typeof updateState)[number]): number {
  return valuesOf(held["state"])[updateState.indexOf(word)]!;
}

const rules: BeginUpdateShape = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.95,
  warmupSteps: 0,
  lossScale: 1,
};

const empty = (): Held => ({
  sums: floats(new Float64Array(squareSums)),
  state: floats(new Float64Array(8)),
});

async function addSquares(held: Held, x: Uint8Array, split: Split = "own"): Promise<CheckedRun> {
  held["x"] = x;
  const call = { kernel: "sum_squares", shape: { elements: x.length / 4 } } as const;
  return advance(call, "f32", held, ["sums"], split);
}

async function begin(
  held: Held,
  shape: BeginUpdateShape,
  split: Split = "own",
): Promise<CheckedRun> {
  return advance({ kernel: "begin_update", shape }, "f32", held, ["sums", "state"], split);
}

function randomValues(count: number, seed: number, size = 1): Float64Array {
  const random = randomSource(seed);
  return Float64Array.from({ length: count }, () => Math.fround(size * (2 * random() - 1)));
}

interface Optimizing {
  readonly optimizer: "adamw" | "sgd";
  readonly momentum: number;
  readonly dtype: StorageType;
  readonly clipNorm?: number;
  readonly warmupSteps: number;
  readonly lossScale: number;
  readonly split?: Split;
}

interface Steps {
  readonly held: Held;
  /** Largest error in shares of what checks accept. */
  readonly worst: number;
  /** The smallest that checks say of one wrong word. */
  readonly leastSpoilt: number;
  /** What is not as the reference has it. */
  readonly wrong: readonly string[];
}

/** The third gradient is not finite. Sizes grow, so that with clipping some are clipped and some are not. */
async function runSteps(one: Optimizing, elements: number): Promise<Steps> {
  const { optimizer, momentum, dtype, clipNorm, warmupSteps, lossScale, split = "own" } = one;
  const isMaster = dtype === "f16";
  const weights = randomValues(elements, 1);
  const held = {
    ...empty(),
    weight: encode(tensor(1, elements, weights), dtype),
    master: floats(weights),
    first: floats(new Float64Array(elements)),
    second: floats(new Float64Array(elements)),
  };
  const hasFirst = optimizer === "adamw" || momentum > 0;
  const names = [
    "gradient",
    "weight",
    ...(isMaster ? ["master"] : []),
    ...(hasFirst ? ["first"] : []),
    ...(optimizer === "adamw" ? ["second"] : []),
  ];
  const shape = { ...rules, elements, optimizer, epsilon: 1e-8, weightDecay: 0.1, momentum };
  const kind = { ...shape, ...(isMaster ? { master: true as const } : {}) };
  const begins = {
    ...rules,
    warmupSteps,
    lossScale,
    ...(clipNorm === undefined ? {} : { clipNorm }),
  };
  const moments = { first: new Float64Array(elements), second: new Float64Array(elements) };
  const [worst, spoilt, wrong]: [number[], number[], string[]] = [[], [], []];
  let step = 0;
  for (let i = 0; i < 6; i++) {
    const gradient = randomValues(elements, i, lossScale * 2 ** (i - 3));
    if (i === 2) gradient[elements - 1] = Infinity;
    const bytes = floats(gradient);
    Object.assign(held, { gradient: bytes });
    worst.push((await addSquares(held, bytes, split)).worst);
    worst.push((await begin(held, begins, split)).worst);
    const call = { kernel: "update_weight", shape: kind } as const;
    const run = await advance(call, dtype, held, names, split);
    worst.push(run.worst);
    for (const name of names) {
      spoilt.push(
        await run.spoilt(name, (name === "weight" && isMaster ? elements / 2 : elements) - 1),
      );
    }
    if (i !== 2) {
      step += 1;
      const slopes = gradient.map((value) => value / lossScale);
      const norm = globalNorm([slopes]);
      const factor = clipFactor(norm, clipNorm ?? Infinity);
      const learningRate = 0.01 * Math.min(1, step / Math.max(1, warmupSteps));
      const scaled = slopes.map((value) => factor * value);
      const options = { ...shape, learningRate };
      if (optimizer === "adamw") adamwStep(weights, scaled, moments, step, options);
      else sgdStep(weights, scaled, moments.first, options);
      const found = Float64Array.of(stateAt(held, "norm"), stateAt(held, "learningRate"));
      wrong.push(...outOfTolerance(found, near(Float64Array.of(norm, learningRate), 4), "f32"));
    }
    const flags = Float64Array.of(stateAt(held, "step"), stateAt(held, "isFinite"));
    wrong.push(...outOfTolerance(flags, near(Float64Array.of(step, i === 2 ? 0 : 1), 0, 0), "f32"));
    const kept = valuesOf(isMaster ? held.master : held.weight);
    // Adam's steps are of the learning rate's size, whatever rounding makes of a gradient near 0.
    wrong.push(...outOfTolerance(kept, near(weights, 16 * (i + 1), 1), "f32"));
    const stored = kept.map((value) => rounded(value, dtype));
    wrong.push(...outOfTolerance(valuesOf(held.weight, dtype), near(stored, 0, 0), dtype));
  }
  return { held, worst: Math.max(...worst), leastSpoilt: Math.min(...spoilt), wrong };
}

const optimizers = [
  { optimizer: "adamw", momentum: 0 },
  { optimizer: "sgd", momentum: 0 },
  { optimizer: "sgd", momentum: 0.9 },
] as const;

const variants = optimizers.flatMap((one) =>
  (["f32", "f16"] as const).flatMap((dtype) => [
    { ...one, dtype, warmupSteps: 0, lossScale: 1 },
    { ...one, dtype, warmupSteps: 3, lossScale: 8, clipNorm: 4 },
  ]),
);

describeOnAdapter("an optimizer's step", () => {
  test.each(variants)(
    "$optimizer, momentum $momentum, $dtype, clip $clipNorm, warm-up $warmupSteps, loss scale $lossScale",
    async (one) => {
      for (const elements of [4, 76, 5000]) {
        const { worst, leastSpoilt, wrong } = await runSteps(one, elements);
        expect(wrong).toEqual([]);
        expect(worst).toBeLessThan(1);
        expect(leastSpoilt).toBeGreaterThan(1);
      }
    },
  );

  test("as GPUs split it", async () => {
    const [first] = variants;
    const run = await runSteps({ ...first!, clipNorm: 4, split: "as on GPUs" }, 5000);
    expect(run.wrong).toEqual([]);
    expect(run.worst).toBeLessThan(1);
  });

  test("of a large weight some elements are looked at, in all components of quads", async () => {
    const elements = 2 ** 20;
    const held: Held = { ...empty(), weight: floats(randomValues(elements, 1)) };
    await addSquares(held, floats(randomValues(elements, 2)));
    await begin(held, rules);
    held["gradient"] = floats(randomValues(elements, 2));
    const rest = { optimizer: "sgd", epsilon: 1e-8, weightDecay: 0, momentum: 0 } as const;
    const call = { kernel: "update_weight", shape: { ...rules, ...rest, elements } } as const;
    const run = await advance(call, "f32", held, ["weight", "gradient"]);
    expect(run.worst).toBeLessThan(1);
    const found = await Promise.all(
      Array.from({ length: 64 }, async (_, word) => run.spoilt("weight", word)),
    );
    const components = found.flatMap((worst, word) => (worst > 1 ? [word % 4] : []));
    expect(new Set(components)).toEqual(new Set([0, 1, 2, 3]));
  });

  test("equal runs give equal bits", async () => {
    const runs = [];
    for (let i = 0; i < 2; i++) runs.push((await runSteps(variants[1]!, 5000)).held);
    expect(runs[1]).toEqual(runs[0]);
  });

  test("epsilon outweighs the root of squares that f32 cannot hold", async () => {
    const held = {
      ...empty(),
      weight: floats([0, 0, 0, 0]),
      gradient: floats([1e-20, 1e-24, 0, -1e-19]),
    };
    Object.assign(held, {
      first: floats(new Float64Array(4)),
      second: floats(new Float64Array(4)),
    });
    await begin(held, rules);
    const run = await advance(
      {
        kernel: "update_weight",
        shape: {
          ...rules,
          elements: 4,
          optimizer: "adamw",
          epsilon: 1e-8,
          weightDecay: 0,
          momentum: 0,
        },
      },
      "f32",
      held,
      ["weight", "gradient", "first", "second"],
    );
    expect(run.worst).toBeLessThan(1);
    const expected = [1e-20, 1e-24, 0, -1e-19].map((g) => (-0.01 * g) / 1e-8);
    const weights = valuesOf(held.weight);
    expect(outOfTolerance(weights, near(Float64Array.from(expected), 4, 1e-13), "f32")).toEqual([]);
    expect(await run.spoilt("weight", 0)).toBeGreaterThan(1);
  });
});

describeOnAdapter("the norm of all gradients", () => {
  const large = 4 * (1024 * squareSums + 333);

  test.each([
    { elements: 4, split: "own" },
    { elements: 76, split: "own" },
    { elements: 4096, split: "own" },
    { elements: 4100, split: "own" },
    { elements: 40_004, split: "own" },
    { elements: large, split: "own" },
    { elements: 40_004, split: "as on GPUs" },
  ] as const)("of $elements elements and 20 more, split: $split", async ({ elements, split }) => {
    const [x, more] = [randomValues(elements, elements), randomValues(20, 3)];
    const held = empty();
    const run = await addSquares(held, floats(x), split);
    expect(run.worst).toBeLessThan(1);
    const used = Math.ceil(elements / 4 / quadsPerSum({ elements }));
    for (const word of [0, used - 1, squareSums - 1]) {
      expect(await run.spoilt("sums", word)).toBeGreaterThan(1);
    }
    expect((await addSquares(held, floats(more), split)).worst).toBeLessThan(1);
    const begun = await begin(held, rules, split);
    expect(begun.worst).toBeLessThan(1);
    for (let word = 0; word < updateState.length; word++) {
      expect(await begun.spoilt("state", word)).toBeGreaterThan(1);
    }
    expect(await begun.spoilt("sums", squareSums - 1)).toBeGreaterThan(1);
    const norm = globalNorm([x, more]);
    expect(Math.abs(stateAt(held, "norm") / norm - 1)).toBeLessThan(1e-5);
  });

  test.each([1e-25, 1e-15, 1e15, 2e17])("of values up to %d", async (size) => {
    const x = randomValues(5000, 7, size);
    const held = empty();
    const run = await addSquares(held, floats(x));
    expect(run.worst).toBeLessThan(1);
    expect(await run.spoilt("sums", 0)).toBeGreaterThan(1);
    const begun = await begin(held, { ...rules, clipNorm: 1 });
    expect(begun.worst).toBeLessThan(1);
    expect(stateAt(held, "isFinite")).toBe(1);
    expect(await begun.spoilt("state", updateState.indexOf("norm"))).toBeGreaterThan(1);
  });

  test.each([
    ["Infinity", Infinity],
    ["-Infinity", -Infinity],
    ["no number", Number.NaN],
    ["a number whose square is beyond f32", 1e20],
  ])("with %s in it is not finite, and nothing moves", async (_, value) => {
    const elements = 5000;
    const held = empty();
    const before = {
      weight: floats(randomValues(elements, 1)),
      first: floats(randomValues(elements, 2)),
      second: floats(randomValues(elements, 3).map(Math.abs)),
    };
    Object.assign(held, before);
    await addSquares(held, floats(randomValues(elements, 4)));
    await begin(held, rules);
    const earlier = valuesOf(held["state"]);
    held["gradient"] = floats(randomValues(elements, 5).with(elements - 2, value));
    const summed = await addSquares(held, held["gradient"]);
    expect(summed.worst).toBeLessThan(1);
    expect(await summed.spoilt("sums", 1)).toBeGreaterThan(1);
    const begun = await begin(held, { ...rules, clipNorm: 1 });
    expect(begun.worst).toBeLessThan(1);
    for (let word = 0; word < updateState.length; word++) {
      expect(await begun.spoilt("state", word)).toBeGreaterThan(1);
    }
    expect(Number.isFinite(stateAt(held, "norm"))).toBe(false);
    const norm = updateState.indexOf("norm");
    const state = valuesOf(held["state"]).with(norm, earlier[norm]!);
    expect(state).toEqual(earlier.with(updateState.indexOf("isFinite"), 0));
    expect(new Set(valuesOf(held["sums"]))).toEqual(new Set([0]));
    const shape = {
      ...rules,
      elements,
      optimizer: "adamw",
      epsilon: 1e-8,
      weightDecay: 0.1,
      momentum: 0,
    } as const;
    const names = ["weight", "gradient", "first", "second"];
    const run = await advance({ kernel: "update_weight", shape }, "f32", held, names);
    expect(run.worst).toBeLessThan(1);
    for (const name of names) expect(await run.spoilt(name, 0)).toBeGreaterThan(1);
    expect(held).toMatchObject(before);
    expect(new Set(valuesOf(held["gradient"]))).toEqual(new Set([0]));
  });

  test("clips nothing below the limit, and nothing jumps at it", async () => {
    const multiplierAt = async (norm: number): Promise<number> => {
      const held = empty();
      await addSquares(held, floats([norm, 0, 0, 0]));
      const run = await begin(held, { ...rules, clipNorm: 1e-5, lossScale: 4 });
      expect(run.worst).toBeLessThan(1);
      return stateAt(held, "multiplier");
    };
    expect(await multiplierAt(4 * 8e-6)).toBe(0.25);
    const [below, above] = [await multiplierAt(4 * 0.999e-5), await multiplierAt(4 * 1.001e-5)];
    expect(Math.abs(below / above - 1)).toBeLessThan(0.003);
  });

  test.each([4, 4 * 333, 2 ** 18 + 4])("clears %i elements", async (elements) => {
    const held: Held = { y: floats(randomValues(elements, 9)) };
    const run = await advance({ kernel: "clear", shape: { elements } }, "f32", held, ["y"]);
    expect(run.worst).toBeLessThan(1);
    expect(new Set(valuesOf(held["y"]))).toEqual(new Set([0]));
    expect(await run.spoilt("y", elements - 1)).toBeGreaterThan(1);
  });
});
