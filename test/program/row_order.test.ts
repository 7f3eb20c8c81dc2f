// Rows of ranks that share sequences, and what contents give for them.

import { expect, test } from "vitest";
import { tokenRow, tokenRuns, type RowOrder } from "../../src/program/row_order.ts";
import { openGiven } from "../../src/weights/given_source.ts";

/** Two replicas of two ranks: two samples of eight tokens, then one. */
const order: RowOrder = { sequence: 8, ranks: 2, samples: [2, 1] };

// Of the two samples the first and the last slice, then those between; then likewise of the one.
const tokens = [
  [0, 1, 6, 7, 8, 9, 14, 15],
  [2, 3, 4, 5, 10, 11, 12, 13],
  [16, 17, 22, 23],
  [18, 19, 20, 21],
].flat();

test("a rank has two slices of each of its replica's samples", () => {
  expect(tokens.map((_, row) => tokenRow(order, row))).toEqual(tokens);
});

test("the next micro-batch has the next samples", () => {
  expect(tokens.map((_, row) => tokenRow(order, 24 + row))).toEqual(tokens.map((at) => 24 + at));
});

test("rows are runs of tokens", () => {
  expect([...tokenRuns(order, 1, 9)]).toEqual([
    { at: 0, token: 1, count: 1 },
    { at: 1, token: 6, count: 4 },
    { at: 5, token: 14, count: 2 },
    { at: 7, token: 2, count: 2 },
  ]);
});

test.each([
  ["given", Array.from({ length: 48 }, (_, token) => 100 + token)],
  ["hashed", undefined],
])("ids and labels that are %s follow the order", (_, ids) => {
  const source = openGiven(3, ids === undefined ? {} : { tokens: ids });
  const content = { kind: "ids", tensor: "ids", vocabulary: 1000, shape: [48] } as const;
  const whole = source.values({ ...content, offset: [0], size: [48] }, 0, 1);
  for (const ahead of [0, 1]) {
    const part = { ...content, offset: [8], size: [8], order, ahead };
    const expected = tokens.slice(8, 16).map((token) => whole[token + ahead]);
    expect([...source.values(part, 0, 1)]).toEqual(expected);
  }
});
