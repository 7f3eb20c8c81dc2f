// Vocabularies are padded so that the ranks of a tensor group can share them: the layers get the padded
// one, parameters are counted as the model has them.

import type { Degrees } from "./plan.ts";

export interface PaddedVocabulary {
  readonly vocabulary: number;
  /** Of this it is a multiple. */
  readonly multiple: number;
}

/** Rows of one shard come in blocks of so many, which matrix kernels are fast on: Megatron-LM's default. */
export const vocabularyBlock = 128;

/**
 * To a multiple of `vocabularyMultiple` that tensor divides, where the plan gives one; else, of a vocabulary
 * that tensor does not divide, to a multiple of 128 × tensor. Undefined where it stays as it is.
 */
export function paddedVocabulary(
  vocabulary: number | undefined,
  { tensor, vocabularyMultiple }: Pick<Degrees, "tensor" | "vocabularyMultiple">,
): PaddedVocabulary | undefined {
  if (vocabulary === undefined) return undefined;
  const multiple =
    vocabularyMultiple === undefined
      ? vocabulary % tensor === 0
        ? 1
        : vocabularyBlock * tensor
      : leastCommonMultiple(vocabularyMultiple, tensor);
  const padded = Math.ceil(vocabulary / multiple) * multiple;
  return padded === vocabulary ? undefined : { vocabulary: padded, multiple };
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestDivisor(a, b)) * b;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
