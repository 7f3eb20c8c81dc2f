// Frequencies by hand, from the definitions of each scaling.

import { describe, expect, test } from "vitest";
import { planOf } from "../support/written_plan.ts";
import { readRotary, type RotaryScaling, rotationsOf } from "../../src/plan/layers/rotary.ts";

function rotations(scaling: RotaryScaling | undefined, sequence = 4096, base = 10_000, dims = 128) {
  const rotary = readRotary({ base, dims, ...(scaling && { scaling }) }, 128);
  return rotationsOf(rotary, sequence);
}

test("a plan that says nothing turns whole heads to the base 10,000", () => {
  expect(readRotary({}, 64)).toEqual({ base: 10_000, dims: 64, interleaved: false });
  const { frequencies, magnitude } = rotations(undefined);
  expect(frequencies).toHaveLength(64);
  expect(frequencies[0]).toBe(1);
  // 10,000^(-1/2) and 10,000^(-126/128).
  expect(frequencies[32]).toBeCloseTo(0.01, 12);
  expect(frequencies[63]).toBeCloseTo(1.154_781_984_689e-4, 12);
  expect(magnitude).toBe(1);
});

test("linear scaling divides every frequency", () => {
  const { frequencies } = rotations({ kind: "linear", factor: 8 });
  expect(frequencies[0]).toBe(1 / 8);
  expect(frequencies[32]).toBeCloseTo(0.01 / 8, 12);
});

describe("dynamic scaling", () => {
  const scaling = { kind: "dynamic", factor: 2, originalPositions: 2048 } as const;

  test("leaves sequences within the original positions as they are", () => {
    expect(rotations(scaling, 2048)).toEqual(rotations(undefined));
  });

  test("raises the base with longer ones", () => {
    // 2 · 8192 / 2048 - 1 = 7, so that the base is 10,000 · 7^(128/126).
    const { frequencies } = rotations(scaling, 8192);
    expect(frequencies[32]).toBeCloseTo((10_000 * 7 ** (128 / 126)) ** -0.5, 12);
    // The longest wavelength grows by the factor itself.
    expect(frequencies[63]).toBeCloseTo(1.154_781_984_689e-4 / 7, 12);
  });
});

describe("the scaling of Llama 3.1", () => {
  const { frequencies } = rotations(
    {
      kind: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalPositions: 8192,
    },
    4096,
    500_000,
  );
  const plain = rotations(undefined, 4096, 500_000).frequencies;

  test("keeps wavelengths below 2,048 and divides those above 8,192", () => {
    // 2π · 500,000^(28/64) is 1,956; the next, 2π · 500,000^(29/64), 2,401.
    expect(frequencies.slice(0, 29)).toEqual(plain.slice(0, 29));
    // 2π · 500,000^(35/64) is 8,217.
    for (let pair = 35; pair < 64; pair++) {
      expect(frequencies[pair]).toBeCloseTo((plain[pair] ?? 0) / 8, 14);
    }
  });

  test("blends those between", () => {
    const own = plain[32] ?? 0;
    const smooth = ((8192 * own) / (2 * Math.PI) - 1) / 3;
    expect(smooth).toBeCloseTo(0.281_283, 6);
    expect(frequencies[32]).toBeCloseTo((1 - smooth) * (own / 8) + smooth * own, 14);
  });
});

describe("YaRN", () => {
  const yarn = { kind: "yarn", factor: 40, originalPositions: 4096 } as const;

  test("keeps what turns 32 times, divides what turns less than once, and blends what is between", () => {
    // Of 64 numbers: 64 · ln(4096 / 64π) / (2 ln 10,000) = 10.47 and 64 · ln(4096 / 2π) / (2 ln 10,000) = 22.51.
    const { frequencies } = rotations(yarn, 4096, 10_000, 64);
    const plain = rotations(undefined, 4096, 10_000, 64).frequencies;
    for (let pair = 0; pair <= 10; pair++) expect(frequencies[pair]).toBe(plain[pair]);
    for (let pair = 23; pair < 32; pair++) {
      expect(frequencies[pair]).toBeCloseTo((plain[pair] ?? 0) / 40, 14);
    }
    const share = (16 - 10) / (23 - 10);
    const own = plain[16] ?? 0;
    expect(frequencies[16]).toBeCloseTo((share * own) / 40 + (1 - share) * own, 14);
  });

  test("without rounding the bounds stay between pairs", () => {
    const { frequencies } = rotations({ ...yarn, truncate: false }, 4096, 10_000, 64);
    const [low, high] = [32, 1].map(
      (turns) => (64 * Math.log(4096 / (2 * Math.PI * turns))) / (2 * Math.log(10_000)),
    );
    const share = (16 - (low ?? 0)) / ((high ?? 0) - (low ?? 0));
    const own = 10_000 ** -0.5;
    expect(frequencies[16]).toBeCloseTo((share * own) / 40 + (1 - share) * own, 14);
  });

  test("makes scores larger by the logarithm of the factor, or by what a plan says", () => {
    expect(rotations(yarn).magnitude).toBeCloseTo(1.368_887_945, 8);
    expect(rotations({ ...yarn, factor: 1 }).magnitude).toBe(1);
    expect(rotations({ ...yarn, attentionFactor: 1.2 }).magnitude).toBe(1.2);
  });
});

test("LongRoPE divides each pair by a factor of its own, by the sequence's length", () => {
  const scaling = {
    kind: "longrope",
    shortFactors: [1, 2],
    longFactors: [4, 8],
    originalPositions: 10,
    attentionFactor: 1.19,
  } as const;
  expect(rotations(scaling, 10, 100, 4)).toEqual({ frequencies: [1, 0.05], magnitude: 1.19 });
  expect(rotations(scaling, 11, 100, 4)).toEqual({ frequencies: [0.25, 0.0125], magnitude: 1.19 });
});

test("norms without weights are of layers with positions (Llama 4)", () => {
  const layers = planOf(`
name: nope
hardware: { gpus: 1 }
workload: { batch: 1, sequence: 4 }
model: { layers: 2, hidden: 16, heads: 2, qkNorm: l2, positions: { kind: rotary, layersWithout: [1] } }
`).stages.flatMap((stage) => stage.layers);
  const norms = layers.flatMap((layer) =>
    layer.op === "attention" ? [layer.qkNorm?.kind ?? "none"] : [],
  );
  expect(norms).toEqual(["unweighted", "none"]);
});
