import { expect, test } from "vitest";
import type { Layer } from "../../src/plan/layers/layers.ts";
import { lossOf } from "../../src/plan/loss.ts";
import { linear, plan } from "../support/plans.ts";

const groups = [[0]];
const embedding = { op: "embedding", vocabulary: 9, hidden: 4, split: "column", groups } as const;
const mean = { op: "aggregate", over: "sequence", groups } as const;

test("logits of each token over the vocabulary of ids, or over a padded one", () => {
  for (const out of [9, 12]) {
    const given = plan("a model", 1, [[embedding], [linear(4, out, "column", groups)]]);
    expect(lossOf(given)).toEqual({ kind: "cross-entropy", vocabulary: 9 });
  }
});

test.each<[string, Omit<Layer, "name">[]]>([
  ["vectors go in", [linear(4, 9, "column", groups)]],
  ["what comes out is narrower", [embedding, linear(4, 8, "column", groups)]],
  ["the last layer gives no logits", [embedding, mean]],
  [
    "there is one result for all tokens of a sample",
    [embedding, mean, linear(4, 9, "column", groups)],
  ],
])("squared error where %s", (_why, layers) => {
  const given = plan("another", 1, [layers as Parameters<typeof plan>[2][number]]);
  expect(lossOf(given)).toEqual({ kind: "squared-error" });
});
