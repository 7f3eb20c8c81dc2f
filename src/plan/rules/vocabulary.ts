// A rule on vocabularies that are split over a tensor group.

import { type Rule, warning } from "./rule.ts";

/** Rows of one shard come in blocks of so many, which matrix kernels are fast on. */
const block = 128;

/**
 * A vocabulary is padded to a multiple of 128 × tensor, so that every shard has whole blocks. Of a
 * vocabulary smaller than that nothing is asked: the padding would be most of it.
 */
export const vocabularyIsPadded: Rule = ({ model, degrees }) => {
  const vocabulary = model?.vocabulary;
  const tensor = degrees?.tensor ?? 1;
  const unit = block * tensor;
  if (vocabulary === undefined || tensor === 1 || vocabulary < unit) return [];
  const rest = vocabulary % unit;
  return rest === 0
    ? []
    : [
        warning(
          "vocabulary-not-padded",
          ["model", "vocabulary"],
          `vocabulary ${vocabulary} is no multiple of ${block} × tensor ${tensor} = ${unit}`,
          `pad it to ${vocabulary - rest + unit}`,
        ),
      ];
};
