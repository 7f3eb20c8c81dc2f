// A vocabulary that is padded is said to be, with the rule that asks for it. One that tensor divides stays as it is,
// with the advice to pad it to a multiple of 128 × tensor, unless it is smaller than that.

import { paddedVocabulary, vocabularyBlock } from "../../../plan/padded_vocabulary.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["model", "vocabulary"];

const vocabularyPadded: DiagnosticDefinition = {
  code: "vocabulary-padded",
  severity: "info",
  title: "Vocabulary Padded",
  requires: "Tells to what a vocabulary is padded, and by whose rule.",
  examples: {
    bad: degreesWith({ model: { vocabulary: 50_257 } }),
    good: degreesWith({ model: { vocabulary: 50_432 } }),
  },
};

const vocabularyNotPadded: DiagnosticDefinition = {
  code: "vocabulary-not-padded",
  severity: "warning",
  title: "Vocabulary Not Padded",
  requires: "A vocabulary that is split over ranks is a multiple of 128 × tensor.",
  examples: {
    bad: degreesWith({ model: { vocabulary: 50_258 } }),
    good: degreesWith({ model: { vocabulary: 50_432 } }),
  },
};

export const vocabularyIsPadded: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [vocabularyPadded, vocabularyNotPadded],
  ofPlan: ({ model, degrees }) => {
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
      const severity = padded.vocabulary > 1.1 * vocabulary ? "warning" : "info";
      const said = report(
        vocabularyPadded,
        path,
        `embedding and LM head have ${padded.vocabulary} rows for a vocabulary of ${vocabulary}: a multiple ${whose}`,
      );
      return [{ ...said, severity }];
    }
    const unit = vocabularyBlock * tensor;
    const rest = vocabulary % unit;
    return tensor === 1 || vocabulary < unit || rest === 0 || vocabularyMultiple !== undefined
      ? []
      : [
          report(
            vocabularyNotPadded,
            path,
            `vocabulary ${vocabulary} is no multiple of ${vocabularyBlock} × tensor ${tensor} = ${unit}`,
            `pad it to ${vocabulary - rest + unit}`,
          ),
        ];
  },
};
