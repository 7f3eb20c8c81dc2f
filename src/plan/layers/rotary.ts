// Rotary positions: which numbers of a head are turned, and how they are scaled to sequences longer than those a model
// was first trained on.

import { z } from "zod";
import { count } from "../schema_numbers.ts";

/** Su et al., RoFormer, 2021. */
export interface Rotary {
  /** Of the angles' wavelengths, 2π · base^(2i / dims). */
  readonly base: number;
  /** Numbers of a head that are turned, its first; even. */
  readonly dims: number;
  /** Pairs are neighbors, as in GPT-J; else numbers `dims / 2` apart, as in GPT-NeoX and Llama. */
  readonly interleaved: boolean;
  readonly scaling?: RotaryScaling;
}

/** `originalPositions` are those of the training that is scaled. */
export type RotaryScaling =
  /** Every position divided by the factor (Chen et al., 2023). */
  | { readonly kind: "linear"; readonly factor: number }
  /** A base that grows with the sequence once it is longer than the original one (NTK-aware, dynamic). */
  | { readonly kind: "dynamic"; readonly factor: number; readonly originalPositions: number }
  | YarnScaling
  /** Short wavelengths as they were, long ones divided, those between blended (Llama 3.1). */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalPositions: number;
    }
  | LongScaling;

/** Peng et al., YaRN, 2023: wavelengths blended by how often they turn within the original positions. */
interface YarnScaling {
  readonly kind: "yarn";
  readonly factor: number;
  readonly originalPositions: number;
  /** Turns from which on a frequency stays as it is. Absent: 32. */
  readonly betaFast?: number;
  /** Turns up to which it is divided by the factor. Absent: 1. */
  readonly betaSlow?: number;
  /** Both bounds are rounded to whole pairs. Absent: true. */
  readonly truncate?: boolean;
  /** Of cosines and sines. Absent: 0.1 · ln(factor) + 1. */
  readonly attentionFactor?: number;
}

/** Ding et al., LongRoPE, 2024: of each pair a factor, one list for sequences within the original positions. */
interface LongScaling {
  readonly kind: "longrope";
  readonly shortFactors: readonly number[];
  readonly longFactors: readonly number[];
  readonly originalPositions: number;
  /** Of cosines and sines. Absent: 1. */
  readonly attentionFactor?: number;
}

const factor = z.number().positive();
const factors = z.array(factor).min(1).max(4096);

export const rotaryScaling = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("linear"), factor }),
  z.strictObject({ kind: z.literal("dynamic"), factor, originalPositions: count }),
  z.strictObject({
    kind: z.literal("yarn"),
    factor,
    originalPositions: count,
    betaFast: factor.exactOptional(),
    betaSlow: factor.exactOptional(),
    truncate: z.boolean().exactOptional(),
    attentionFactor: factor.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("llama3"),
    factor,
    lowFrequencyFactor: factor,
    highFrequencyFactor: factor,
    originalPositions: count,
  }),
  z.strictObject({
    kind: z.literal("longrope"),
    shortFactors: factors,
    longFactors: factors,
    originalPositions: count,
    attentionFactor: factor.exactOptional(),
  }),
]);

/** As a plan writes it. */
export const rotaryFile = z.strictObject({
  base: factor.exactOptional(),
  dims: count.exactOptional(),
  interleaved: z.boolean().exactOptional(),
  scaling: rotaryScaling.exactOptional(),
});

export const defaultBase = 10_000;

/** @param headDim numbers of a head, all of which are turned where the plan does not say how many */
export function readRotary(file: Partial<Rotary>, headDim: number): Rotary {
  return {
    base: defaultBase,
    dims: headDim,
    interleaved: false,
    ...file,
  };
}

/** Of each pair the angle between neighboring positions; and what cosines and sines are multiplied with. */
export interface Rotations {
  readonly frequencies: readonly number[];
  readonly magnitude: number;
}

/** @param sequence tokens of each sample, which some scalings follow */
export function rotationsOf({ base, dims, scaling }: Rotary, sequence: number): Rotations {
  const of = (own: number): number[] =>
    Array.from({ length: dims / 2 }, (_, pair) => own ** ((-2 * pair) / dims));
  const plain = of(base);
  switch (scaling?.kind) {
    case undefined:
      return { frequencies: plain, magnitude: 1 };
    case "linear":
      return { frequencies: plain.map((each) => each / scaling.factor), magnitude: 1 };
    case "dynamic": {
      const stretch = Math.max(1, sequence / scaling.originalPositions);
      const growth = scaling.factor * stretch - (scaling.factor - 1);
      return { frequencies: of(base * growth ** (dims / (dims - 2))), magnitude: 1 };
    }
    case "yarn":
      return yarnOf(plain, base, dims, scaling);
    case "llama3": {
      const { lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions } = scaling;
      const frequencies = plain.map((each) => {
        const turns = (originalPositions * each) / (2 * Math.PI);
        const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return kept * each + ((1 - kept) * each) / scaling.factor;
      });
      return { frequencies, magnitude: 1 };
    }
    case "longrope": {
      const isLong = sequence > scaling.originalPositions;
      const own = isLong ? scaling.longFactors : scaling.shortFactors;
      const frequencies = plain.map((each, pair) => each / (own[pair] ?? 1));
      return { frequencies, magnitude: scaling.attentionFactor ?? 1 };
    }
  }
}

function yarnOf(
  plain: readonly number[],
  base: number,
  dims: number,
  scaling: YarnScaling,
): Rotations {
  const { factor: by, originalPositions, betaFast = 32, betaSlow = 1, truncate = true } = scaling;
  /** The pair, counted in fractions, that turns so often within the original positions. */
  const pairOf = (turns: number): number =>
    (dims * Math.log(originalPositions / (2 * Math.PI * turns))) / (2 * Math.log(base));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(0, truncate ? Math.floor(first) : first);
  const high = Math.min(dims - 1, truncate ? Math.ceil(last) : last);
  // A step where both are the same.
  const width = high === low ? 0.001 : high - low;
  const frequencies = plain.map((each, pair) => {
    const divided = Math.min(1, Math.max(0, (pair - low) / width));
    return (divided * each) / by + (1 - divided) * each;
  });
  const magnitude = scaling.attentionFactor ?? (by <= 1 ? 1 : 0.1 * Math.log(by) + 1);
  return { frequencies, magnitude };
}
