// Contents that a user gives, in place of hashes of a seed: weights in files, token ids in a list. As data, it goes to
// every rank, which opens what it needs.

import type { IdsContent } from "../program/content.ts";
import { type ContentSource, inOrder, type SourcedContent } from "../program/content_source.ts";
import { hashSource } from "../program/hash_source.ts";
import { createFileWindows } from "./file_windows.ts";
import { readView, type TensorView } from "./tensor_view.ts";

export interface GivenContents {
  readonly weights?: GivenWeights;
  /** Of all samples of a step, one after the other; fewer begin again. Absent: hashes. */
  readonly tokens?: readonly number[];
}

export interface GivenWeights {
  /** Where the files lie, as it was named. */
  readonly folder: string;
  readonly files: readonly WeightFile[];
  /** By the plan's name of it, every weight of the plan. */
  readonly tensors: Readonly<Record<string, TensorView>>;
}

export interface WeightFile {
  readonly path: string;
  readonly bytes: number;
}

/** What is not given is made from the seed. */
export function openGiven(seed: number, { weights, tokens }: GivenContents = {}): ContentSource {
  const hashed = hashSource(seed);
  const windows = weights?.files.map(({ path, bytes }) => createFileWindows(path, bytes)) ?? [];
  const views = new Map(Object.entries(weights?.tensors ?? {}));
  const isHashed = (content: SourcedContent): boolean =>
    content.kind === "ids" ? tokens === undefined : !views.has(content.tensor);
  return {
    seedOf: (content) => (isHashed(content) ? hashed.seedOf(content) : undefined),
    values(content, first, rows) {
      if (content.kind === "ids" && tokens !== undefined) {
        const { order } = content;
        return order === undefined
          ? idsOf(content, tokens)
          : inOrder(content, order, [0, 1], (part) => idsOf({ ...content, ...part }, tokens));
      }
      const view = views.get(content.tensor);
      return view === undefined
        ? hashed.values(content, first, rows)
        : readView(view, windows, content, first, rows);
    },
  };
}

/** Of a list; ids lie in the last dimension, and so in one row. */
function idsOf(content: IdsContent, tokens: readonly number[]): Float64Array {
  const { ahead = 0 } = content;
  const start = (content.offset.at(-1) ?? 0) + ahead;
  return Float64Array.from(
    { length: content.size.at(-1) ?? 1 },
    (_, i) => tokens[(start + i) % tokens.length] ?? 0,
  );
}
