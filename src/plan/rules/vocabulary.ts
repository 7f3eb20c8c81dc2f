// A rule on vocabularies that are split over a tensor group.

import { paddedVocabulary, vocabularyBlock } from "../padded_vocabulary.ts";
import { info, type Rule, warning } from "./rule.ts";

const path = ["model", "vocabulary"];

/**
 * A vocabulary that is padded is said to be, with the rule that asks for it. One that tensor divides stays as
 * it is, with the advice to pad it to a multiple of 128 × tensor, unless it is smaller than that.
 */
export const vocabularyIsPadded: Rule = ({ model, degrees }) => {
  const vocabulary = model?.vocabulary;
  if (vocabulary === undefined || degrees === undefined) return [];
  const { tensor, vocabularyMultiple } = degrees;
  const padded = paddedVocabulary(vocabulary, degrees);
  if (padded !== undefined) {
    const whose =
      vocabularyMultiple === undefined
        ? `of ${vocabularyBlock} × tensor ${tensor} = ${padded.multiple}, as Megatron-LM pads`
        : `of ${padded.multiple}, as parallel.vocabularyMultiple ${vocabularyMultiple} asks`;
    // Of a tiny vocabulary the padding can be most of the work.
    const say = padded.vocabulary > 1.1 * vocabulary ? warning : info;
    return [
      say(
        "vocabulary-padded",
        path,
        `embedding and LM head have ${padded.vocabulary} rows for a vocabulary of ${vocabulary}: a multiple ${whose}`,
      ),
    ];
  }
  const unit = vocabularyBlock * tensor;
  const rest = vocabulary % unit;
  return tensor === 1 || vocabulary < unit || rest === 0 || vocabularyMultiple !== undefined
    ? []
    : [
        warning(
          "vocabulary-not-padded",
          path,
          `vocabulary ${vocabulary} is no multiple of ${vocabularyBlock} × tensor ${tensor} = ${unit}`,
          `pad it to ${vocabulary - rest + unit}`,
        ),
      ];
};
