// Gradients of a mixture of experts, against f64 and against the check of a run.

import { expect, test } from "vitest";
import { groupedWeightGradient } from "../../src/kernels/grouped_weight_gradient.ts";
import { rowPitch, type StorageType } from "../../src/kernels/storage.ts";
import { choiceWeightsGradient, routerPullGradient } from "../../src/reference/backward/routing.ts";
import { activationGradients } from "../../src/reference/backward/gated_activation.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { variantKernels } from "../support/kernel_variants.ts";
import { near } from "../support/near.ts";
import { prefixSums } from "../support/prefix_sums.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const dtypes = ["f32", "f16"] as const;

function floats(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** Each expert's rows, the last of which another's begin behind; beyond all of them there is NaN. */
function weightGradientCase(dtype: StorageType) {
  const counts = [5, 0, 1, 12, 0];
  const [m, n] = [7, 18];
  const offsets = prefixSums(counts);
  const used = offsets.at(-1) ?? 0;
  const rows = used + 3;
  const random = randomSource(9);
  const [x, w] = [randomTensor(rows, m, dtype, random), randomTensor(rows, n, dtype, random)];
  x.values.fill(Number.NaN, used * m);
  w.values.fill(Number.NaN, used * n);
  const before = randomTensor(counts.length * m, n, "f32", random);
  const shape = { experts: counts.length, rows, expectedRows: used, m, n };
  const expected = before.values.slice();
  for (const [expert, count] of counts.entries()) {
    for (let row = offsets[expert]!; row < offsets[expert]! + count; row++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          expected[(expert * m + i) * n + j]! += x.values[row * m + i]! * w.values[row * n + j]!;
        }
      }
    }
  }
  return {
    shape,
    inputs: {
      x: encode(x, dtype),
      w: encode(w, dtype),
      offsets: encodeIds(offsets),
      y: encode(before, "f32"),
    },
    outputs: { y: tensorBytes(counts.length * m, n, "f32") },
    expected,
    size: [counts.length * m, n] as const,
  };
}

describeOnAdapter("gradients of experts", () => {
  test.each(dtypes)("of weights in %s, by every variant", async (dtype) => {
    const gpu = await testGpu();
    const { shape, inputs, outputs, expected, size } = weightGradientCase(dtype);
    const call = { kernel: "grouped_weight_gradient", shape } as const;
    const { results, worst, spoilt } = await checkedRun(call, dtype, inputs, outputs);
    const found = (from: Readonly<Record<string, ArrayBuffer>>): Float64Array =>
      decode(output(from, "y"), ...size, "f32").values;
    expect(outOfTolerance(found(results), near(expected, 12), "f32")).toEqual([]);
    expect(worst).toBeLessThan(1);
    expect(await spoilt("y", 0)).toBeGreaterThan(1);
    // Of an expert without rows.
    expect(await spoilt("y", 7 * rowPitch(18))).toBeGreaterThan(1);
    for (const variant of variantKernels(groupedWeightGradient, shape, gpu.report, dtype)) {
      const own = await runKernel(gpu, variant, shape, dtype, inputs, outputs);
      expect(outOfTolerance(found(own), near(expected, 12), "f32")).toEqual([]);
    }
  });

  test("of weights, as GPUs compute them", async () => {
    const gpu = await testGpu();
    const { shape, inputs, outputs, expected, size } = weightGradientCase("f32");
    const adapter = { features: [], limits: {} };
    const variant = variantKernels(groupedWeightGradient, shape, adapter, "f32").findLast(
      ({ name }) => name === "matmul_shared",
    );
    if (variant === undefined) throw new Error("GPUs have a variant of their own");
    const results = await runKernel(gpu, variant, shape, "f32", inputs, outputs);
    const { values } = decode(output(results, "y"), ...size, "f32");
    expect(outOfTolerance(values, near(expected, 12), "f32")).toEqual([]);
  });

  test.each(dtypes.flatMap((dtype) => [1, 2, 6].map((topK) => ({ dtype, topK }))))(
    "of the weights of $topK choices in $dtype",
    async ({ dtype, topK }) => {
      const [tokens, hidden, experts] = [9, 33, 8];
      const random = randomSource(topK);
      const ids = Array.from({ length: tokens }, () =>
        Math.floor(random() * (experts - topK + 1)),
      ).flatMap((first) => Array.from({ length: topK }, (_, slot) => first + slot));
      const counts = Array.from({ length: experts }, () => 0);
      const positions = ids.map((expert) => counts[expert]!++);
      const offsets = prefixSums(counts);
      // The last row of each expert that has more than one was dropped.
      const kept = counts.map((count) => Math.min(count, Math.max(1, count - 1)));
      const tables = { ids, positions, offsets, kept };
      const shape = { tokens, topK, hidden, experts };
      const call = { kernel: "combine_weight_gradient", shape } as const;
      const x = randomTensor(tokens * topK, hidden, dtype, random);
      const dy = randomTensor(tokens, hidden, dtype, random);
      const { results, worst, spoilt } = await checkedRun(
        call,
        dtype,
        {
          x: encode(x, dtype),
          dy: encode(dy, dtype),
          ...Object.fromEntries(
            Object.entries(tables).map(([name, table]) => [name, encodeIds(table)]),
          ),
        },
        { dweights: 4 * tokens * topK },
      );
      const expected = Float64Array.from(ids, (expert, choice) => {
        if (positions[choice]! >= kept[expert]!) return 0;
        const row = offsets[expert]! + positions[choice]!;
        const token = Math.floor(choice / topK);
        let sum = 0;
        for (let c = 0; c < hidden; c++) {
          sum += x.values[row * hidden + c]! * dy.values[token * hidden + c]!;
        }
        return sum;
      });
      const actual = Float64Array.from(new Float32Array(output(results, "dweights")));
      expect(outOfTolerance(actual, near(expected, hidden), "f32")).toEqual([]);
      expect(worst).toBeLessThan(1);
      expect(await spoilt("dweights", 0)).toBeGreaterThan(1);
    },
  );

  const rules = [
    { renormalise: true },
    { renormalise: false, balance: { factor: 0.03, blocks: 2 }, logarithm: 0.2 },
    {
      renormalise: true,
      scoring: "sigmoid",
      routedScale: 2.5,
      balance: { factor: 0.01, blocks: 1 },
    },
    { renormalise: false, scoring: "sigmoid", logarithm: 0.1 },
  ] as const;

  test.each(dtypes.flatMap((dtype) => rules.map((rule) => ({ dtype, rule }))))(
    "of a router in $dtype: $rule",
    async ({ dtype, rule }) => {
      const [tokens, experts, topK] = [67, 13, 3];
      const random = randomSource(experts);
      const wide = randomTensor(tokens, experts, dtype, random);
      const logits = { ...wide, values: wide.values.map((value) => 4 * value) };
      const ids = Array.from({ length: tokens }, (_, token) => token % (experts - 2)).flatMap(
        (first) => [first, first + 1, first + 2],
      );
      const dweights = randomTensor(1, tokens * topK, "f32", random).values;
      const scoring = "scoring" in rule ? rule.scoring : "softmax";
      const { blocks = 0, factor = 0 } = "balance" in rule ? rule.balance : {};
      const counts = Array.from({ length: blocks }, (_, block) =>
        Array.from({ length: experts }, (__, expert) => 3 * expert + 5 * block),
      );
      const shape = { tokens, experts, topK, ...rule };
      const { results, worst, spoilt } = await checkedRun(
        { kernel: "route_gradient", shape },
        dtype,
        {
          logits: encode(logits, dtype),
          ids: encodeIds(ids),
          dweights: floats(dweights),
          ...(blocks === 0 ? {} : { counts: encodeIds(counts.flat()) }),
        },
        { dlogits: tensorBytes(tokens, experts, dtype) },
      );
      const choices = Array.from({ length: experts }, (_, expert) =>
        counts.reduce((sum, block) => sum + block[expert]!, 0),
      );
      const logarithm = "logarithm" in rule ? rule.logarithm : 0;
      const expected = Array.from({ length: tokens }, (_, token) => {
        const own = logits.values.slice(token * experts, (token + 1) * experts);
        const chosen = Uint32Array.from(ids.slice(token * topK, (token + 1) * topK));
        const given = dweights.slice(token * topK, (token + 1) * topK);
        const besides = routerPullGradient(
          own,
          { balance: { factor, choices }, logarithm },
          { scoring },
        );
        return [...choiceWeightsGradient(own, chosen, { topK, ...rule }, given)].map(
          (value, expert) => value + besides[expert]!,
        );
      });
      const dlogits = decode(output(results, "dlogits"), tokens, experts, dtype).values;
      const size = near(Float64Array.from(expected.flat()), experts, 4);
      expect(outOfTolerance(dlogits, size, dtype)).toEqual([]);
      expect(worst).toBeLessThan(1);
      expect(await spoilt("dlogits", 0)).toBeGreaterThan(1);
    },
  );

  test.each(dtypes.flatMap((dtype) => [true, false].map((gated) => ({ dtype, gated }))))(
    "of activations of used rows alone, in $dtype, gated: $gated",
    async ({ dtype, gated }) => {
      const [rows, columns, used] = [9, 10, 5];
      const random = randomSource(3);
      const shape = {
        rows,
        columns,
        activation: "silu",
        ...(gated ? { gate: true as const } : {}),
        grouped: { experts: 2, expectedRows: used },
      } as const;
      const [dh, u, gate] = [1, 2, 3].map(() => randomTensor(rows, columns, dtype, random));
      for (const each of [dh!, u!, gate!]) each.values.fill(Number.NaN, used * columns);
      const offsets = encodeIds([0, 2, used]);
      const gates = gated ? { gate: encode(gate!, dtype) } : {};
      const of = (values: Float64Array) => values.subarray(0, used * columns);
      const forward = await checkedRun(
        { kernel: "activate", shape },
        dtype,
        { x: encode(u!, dtype), ...gates, offsets },
        { y: tensorBytes(rows, columns, dtype) },
      );
      expect(forward.worst).toBeLessThan(1);
      expect(await forward.spoilt("y", 0)).toBeGreaterThan(1);
      const usedBytes = tensorBytes(used, columns, dtype);
      const isUntouched = (bytes: ArrayBuffer): boolean =>
        new Uint8Array(bytes, usedBytes).every((byte) => byte === 0xff);
      expect(isUntouched(output(forward.results, "y"))).toBe(true);
      const backward = await checkedRun(
        { kernel: "activation_gradient", shape },
        dtype,
        { dh: encode(dh!, dtype), u: encode(u!, dtype), ...gates, offsets },
        {
          ...(gated ? { dgate: tensorBytes(rows, columns, dtype) } : {}),
          du: tensorBytes(rows, columns, dtype),
        },
      );
      expect(backward.worst).toBeLessThan(1);
      const { du } = activationGradients(
        shape,
        of(dh!.values),
        of(u!.values),
        gated ? of(gate!.values) : undefined,
      );
      const bytes = output(backward.results, "du");
      const actual = decode(bytes.slice(0, usedBytes), used, columns, dtype).values;
      expect(outOfTolerance(actual, near(du, 16), dtype)).toEqual([]);
      expect(isUntouched(bytes)).toBe(true);
    },
  );
});
