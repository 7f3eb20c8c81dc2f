// A smaller vocabulary: the embedding and the head are the largest buffers of most models, and no part of a block.

import { vocabularyBlock } from "../padded_vocabulary.ts";
import { degreesOf } from "../stages_from_degrees.ts";
import { type Dimension, multipleDown } from "./dimension.ts";

export const vocabulary: Dimension = {
  name: "vocabulary",
  full: ({ model }) => model?.vocabulary,
  least: (file) => Math.min(file.model?.vocabulary ?? 1, vocabularyBlock * degreesOf(file).tensor),
  reduce(file, size) {
    const { model } = file;
    if (model?.vocabulary === undefined || size >= model.vocabulary) return file;
    const kept = multipleDown(size, vocabularyBlock * degreesOf(file).tensor);
    return { ...file, model: { ...model, vocabulary: Math.min(kept, model.vocabulary) } };
  },
};
