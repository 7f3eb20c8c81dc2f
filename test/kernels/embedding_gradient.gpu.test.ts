// The gradient of an embedding table: rows of tokens added up by their ids.

import { expect, test } from "vitest";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { output } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const sizes = [
  { tokens: 1, hidden: 1, vocabularyRows: 1, split: "own" },
  { tokens: 7, hidden: 5, vocabularyRows: 3, split: "own" },
  { tokens: 70, hidden: 33, vocabularyRows: 9, split: "own" },
  // More than lanes look at in one go.
  { tokens: 600, hidden: 12, vocabularyRows: 40, split: "own" },
  { tokens: 70, hidden: 130, vocabularyRows: 9, split: "as on GPUs" },
] as const;

const cases = sizes.flatMap((size) =>
  (["f32", "f16"] as const).flatMap((dtype) =>
    [undefined, 0.3].map((scale) => ({ ...size, dtype, scale })),
  ),
);

describeOnAdapter("embedding_gradient", () => {
  test.each(cases)(
    "of $tokens tokens [$hidden] in $dtype to $vocabularyRows rows, scale $scale, split: $split",
    async ({ tokens, hidden, vocabularyRows, dtype, scale, split }) => {
      const random = randomSource(tokens);
      const vocabularyStart = 2;
      // Some below and some above the shard, and a row that none has.
      const ids = Array.from({ length: tokens }, () => Math.floor(random() * (vocabularyRows + 3)));
      ids[tokens - 1] = vocabularyStart;
      const dy = randomTensor(tokens, hidden, dtype, random);
      const before = randomTensor(vocabularyRows, hidden, "f32", random);
      const run = async () =>
        checkedRun(
          {
            kernel: "embedding_gradient",
            shape: {
              tokens,
              hidden,
              vocabularyStart,
              vocabularyRows,
              ...(scale === undefined ? {} : { scale }),
            },
          },
          dtype,
          { ids: encodeIds(ids), dy: encode(dy, dtype), dtable: encode(before, "f32") },
          { dtable: tensorBytes(vocabularyRows, hidden, "f32") },
          split,
        );
      const values = before.values.slice();
      const magnitudes = before.values.map(Math.abs);
      for (const [token, id] of ids.entries()) {
        const row = id - vocabularyStart;
        if (row < 0 || row >= vocabularyRows) continue;
        for (let h = 0; h < hidden; h++) {
          const value = (scale ?? 1) * dy.values[token * hidden + h]!;
          values[row * hidden + h]! += value;
          magnitudes[row * hidden + h]! += Math.abs(value);
        }
      }
      const { results, worst, spoilt } = await run();
      const dtable = output(results, "dtable");
      const actual = decode(dtable, vocabularyRows, hidden, "f32").values;
      expect(outOfTolerance(actual, { values, magnitudes, terms: tokens }, "f32")).toEqual([]);
      expect(worst).toBeLessThan(1);
      const pitch = dtable.byteLength / 4 / vocabularyRows;
      for (const word of [0, hidden - 1, pitch * vocabularyRows - 1]) {
        expect(await spoilt("dtable", word)).toBeGreaterThan(1);
      }
      expect(output((await run()).results, "dtable")).toEqual(dtable);
    },
  );

  test("what is not finite in f16 shows in its row alone, and the check accepts that", async () => {
    const dy = randomTensor(3, 4, "f16", randomSource(1));
    dy.values[0] = Infinity;
    dy.values[4] = -Infinity;
    const run = await checkedRun(
      {
        kernel: "embedding_gradient",
        shape: { tokens: 3, hidden: 4, vocabularyStart: 0, vocabularyRows: 2 },
      },
      "f16",
      {
        ids: encodeIds([0, 0, 1]),
        dy: encode(dy, "f16"),
        dtable: encode(randomTensor(2, 4, "f32", randomSource(2)), "f32"),
      },
      { dtable: tensorBytes(2, 4, "f32") },
    );
    const { values } = decode(output(run.results, "dtable"), 2, 4, "f32");
    expect([...values].map(Number.isFinite)).toEqual([false, ...Array<boolean>(7).fill(true)]);
    expect(run.worst).toBeLessThan(1);
    for (const word of [0, 1]) expect(await run.spoilt("dtable", word)).toBeGreaterThan(1);
  });
});
