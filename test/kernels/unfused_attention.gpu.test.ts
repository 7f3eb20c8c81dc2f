// Scores of attention, and values by their weights, as a run's check judges them.

import { describe, expect, test } from "vitest";
import type { AttentionShape } from "../../src/kernels/attention_shape.ts";
import { valuesOf } from "../../src/kernels/attention_values.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { encode, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";

const one = { batch: 1, sequence: 1, heads: 1, kvHeads: 1, headDim: 4, causal: true };

// Every one is a pipeline of its own, so rules stand together where they can.
const cases: readonly (readonly [string, StorageType, AttentionShape])[] = [
  ["one token, smallest head", "f32", one],
  ["whole tiles, both ways", "f32", { ...one, sequence: 64, heads: 2, headDim: 8, causal: false }],
  [
    "grouped heads of several sequences, a rest, capped scores within a window",
    "f16",
    { ...one, batch: 2, sequence: 37, heads: 4, kvHeads: 2, headDim: 12, window: 9, softcap: 1.5 },
  ],
  [
    "slopes, and values apart that are wider than keys",
    "f32",
    {
      ...one,
      sequence: 35,
      heads: 2,
      kvHeads: 2,
      headDim: 8,
      alibi: { heads: 4, first: 2 },
      values: { dim: 20, columns: 44, first: 4, step: 20 },
    },
  ],
];

describeOnAdapter("attention that is not fused", () => {
  describe.each(cases)("%s, %s", (_, dtype, shape) => {
    const { batch, sequence, heads, kvHeads, headDim, values } = shape;
    const tokens = batch * sequence;
    const scoreRows = tokens * heads;

    test("scores", async () => {
      const columns = (heads + (values === undefined ? 2 : 1) * kvHeads) * headDim;
      const qkv = encode(randomTensor(tokens, columns, dtype, randomSource(columns)), dtype);
      const run = await checkedRun(
        { kernel: "attention_scores", shape },
        dtype,
        { qkv },
        { y: tensorBytes(scoreRows, sequence, "f32") },
      );
      expect(run.worst).toBeLessThan(1);
      expect(await run.spoilt("y", 0)).toBeGreaterThan(1);
    });

    test("values", async () => {
      const { columns, dim } = valuesOf(shape);
      const v = encode(randomTensor(tokens, columns, dtype, randomSource(columns)), dtype);
      const weights = encode(randomTensor(scoreRows, sequence, "f32", randomSource(3)), "f32");
      const run = await checkedRun(
        { kernel: "attention_values", shape },
        dtype,
        { weights, v },
        { y: tensorBytes(tokens, heads * dim, dtype) },
      );
      expect(run.worst).toBeLessThan(1);
      expect(await run.spoilt("y", 0)).toBeGreaterThan(1);
    });
  });
});
