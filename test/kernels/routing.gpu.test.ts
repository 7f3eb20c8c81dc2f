import { expect, test } from "vitest";
import { combineTokens } from "../../src/kernels/combine_tokens.ts";
import { permuteTokens } from "../../src/kernels/permute_tokens.ts";
import { routePositions } from "../../src/kernels/route_positions.ts";
import { type RouteTopKShape, routeTopK } from "../../src/kernels/route_top_k.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { prefixSums } from "../support/prefix_sums.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  decodeIds,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  type Tensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const dtypes = ["f32", "f16"] as const;

async function route(logits: Tensor, topK: number, renormalise: boolean, dtype: "f32" | "f16") {
  const { rows: tokens, columns: experts } = logits;
  const results = await runKernel(
    await testGpu(),
    routeTopK,
    { tokens, experts, topK, renormalise },
    dtype,
    { logits: encode(logits, dtype) },
    { ids: 4 * tokens * topK, weights: 4 * tokens * topK },
  );
  return {
    ids: decodeIds(output(results, "ids")),
    weights: [...new Float32Array(output(results, "weights"))],
  };
}

function expectedRoute({ rows, columns, values }: Tensor, topK: number, renormalise: boolean) {
  const ids: number[] = [];
  const weights: number[] = [];
  for (let token = 0; token < rows; token++) {
    const logits = [...values.subarray(token * columns, (token + 1) * columns)];
    const largest = Math.max(...logits);
    const order = logits.map((logit, id) => ({ id, p: Math.exp(logit - largest), logit }));
    const chosen = order.toSorted((a, b) => b.logit - a.logit || a.id - b.id).slice(0, topK);
    const total = (renormalise ? chosen : order).reduce((sum, { p }) => sum + p, 0);
    ids.push(...chosen.map(({ id }) => id));
    weights.push(...chosen.map(({ p }) => p / total));
  }
  return { ids, weights };
}

/** Choices without an order to them: `topK` different experts for every token. */
function randomIds(tokens: number, experts: number, topK: number): number[] {
  const random = randomSource(tokens + experts);
  return Array.from({ length: tokens }, () => Math.floor(random() * experts)).flatMap((first) =>
    Array.from({ length: topK }, (_, slot) => (first + slot * slot + slot) % experts),
  );
}

function expectedPositions(ids: readonly number[], experts: number) {
  const counts = Array<number>(experts).fill(0);
  const positions = ids.map((id) => {
    counts[id] = (counts[id] ?? 0) + 1;
    return (counts[id] ?? 0) - 1;
  });
  return { positions, counts, offsets: prefixSums(counts) };
}

/** A rule, and what experts of a token are by its words, from f32 scores far enough apart. */
interface RuledCase {
  readonly name: string;
  readonly rule: Omit<RouteTopKShape, "tokens" | "experts">;
  readonly experts: number;
}

const ruled: readonly RuledCase[] = [
  {
    name: "sigmoids, scaled",
    experts: 9,
    rule: { topK: 3, renormalise: false, scoring: "sigmoid", routedScale: 2.5 },
  },
  {
    name: "corrected sigmoids of the groups with the best two",
    experts: 24,
    rule: {
      topK: 5,
      renormalise: true,
      scoring: "sigmoid",
      corrected: true,
      groupLimit: { groups: 8, topGroups: 3, scoredBy: "two-best" },
      routedScale: 2.5,
    },
  },
  {
    name: "corrected softmax",
    experts: 7,
    rule: { topK: 2, renormalise: false, corrected: true },
  },
  {
    name: "softmax within the groups of the best",
    experts: 30,
    rule: {
      topK: 4,
      renormalise: false,
      groupLimit: { groups: 10, topGroups: 2, scoredBy: "best" },
      routedScale: 16,
    },
  },
  {
    name: "one expert to a group, all groups open",
    experts: 32,
    rule: {
      topK: 32,
      renormalise: true,
      groupLimit: { groups: 32, topGroups: 32, scoredBy: "best" },
    },
  },
];

/** Word for word: scores, corrected for the choice; groups by their best; the best of these; weights of scores. */
function ruledRoute(
  { rule, experts }: RuledCase,
  logits: readonly number[],
  shift: readonly number[],
) {
  const exponentials = logits.map((v) => Math.exp(v));
  const whole = exponentials.reduce((a, b) => a + b, 0);
  const scores = logits.map((v, e) =>
    rule.scoring === "sigmoid" ? 1 / (1 + Math.exp(-v)) : (exponentials[e] ?? 0) / whole,
  );
  const keys = scores.map((score, e) => score + (rule.corrected ? (shift[e] ?? 0) : 0));
  const byKey = (a: number, b: number) => (keys[b] ?? 0) - (keys[a] ?? 0);
  const { groups = 1, topGroups = 1, scoredBy = "best" } = rule.groupLimit ?? {};
  const size = experts / groups;
  const members = (group: number) => Array.from({ length: size }, (_, i) => group * size + i);
  const judged = Array.from({ length: groups }, (_, group) => {
    const [best = 0, next = 0] = members(group)
      .map((e) => keys[e] ?? 0)
      .toSorted((a, b) => b - a);
    return { group, key: scoredBy === "best" ? best : best + next };
  });
  const open = judged.toSorted((a, b) => b.key - a.key).slice(0, topGroups);
  const ids = open
    .flatMap(({ group }) => members(group))
    .toSorted(byKey)
    .slice(0, rule.topK);
  const chosen = ids.map((e) => scores[e] ?? 0);
  const total = rule.renormalise ? chosen.reduce((a, b) => a + b, 0) : 1;
  return { ids, weights: chosen.map((score) => ((rule.routedScale ?? 1) * score) / total) };
}

describeOnAdapter("routing kernels", () => {
  test.each(ruled.flatMap((each) => dtypes.map((dtype) => [each.name, dtype, each] as const)))(
    "route_top_k by %s, %s",
    async (_, dtype, one) => {
      const { rule, experts } = one;
      const tokens = 67;
      const random = randomSource(experts);
      const logits = randomTensor(tokens, experts, dtype, random);
      const shift = randomTensor(1, experts, dtype, random);
      const results = await runKernel(
        await testGpu(),
        routeTopK,
        { tokens, experts, ...rule },
        dtype,
        {
          logits: encode(logits, dtype),
          ...(rule.corrected ? { correction: encode(shift, dtype) } : {}),
        },
        { ids: 4 * tokens * rule.topK, weights: 4 * tokens * rule.topK },
      );
      const ids = decodeIds(output(results, "ids"));
      const weights = [...new Float32Array(output(results, "weights"))];
      for (let token = 0; token < tokens; token++) {
        const own = [...logits.values.subarray(token * experts, (token + 1) * experts)];
        const expected = ruledRoute(one, own, [...shift.values]);
        const at = token * rule.topK;
        // Halves repeat: which of equals comes first, the other tests say.
        const isClear = new Set(own).size === experts;
        expect(isClear ? ids.slice(at, at + rule.topK) : expected.ids).toEqual(expected.ids);
        const found = weights.slice(at, at + rule.topK);
        expect(found).toEqual(expected.weights.map((weight) => expect.closeTo(weight, 5)));
      }
    },
  );

  test.each(
    dtypes.flatMap((dtype) =>
      [true, false].flatMap((renormalise) =>
        [
          [1, 1, 1],
          [5, 7, 7],
          [65, 63, 2],
          [8, 8, 1],
        ].map(([tokens = 0, experts = 0, topK = 0]) => ({
          dtype,
          renormalise,
          tokens,
          experts,
          topK,
        })),
      ),
    ),
  )(
    "route_top_k, $dtype, $tokens tokens choose $topK of $experts, renormalise $renormalise",
    async ({ dtype, renormalise, tokens, experts, topK }) => {
      const logits = randomTensor(tokens, experts, dtype, randomSource(experts));
      const actual = await route(logits, topK, renormalise, dtype);
      const expected = expectedRoute(logits, topK, renormalise);
      expect(actual.ids).toEqual(expected.ids);
      for (const [i, weight] of expected.weights.entries())
        expect(actual.weights[i]).toBeCloseTo(weight, 6);
    },
  );

  test("route_top_k breaks ties towards the lower id and survives logits that overflow an exponential", async () => {
    const logits = tensor(3, 5, [2, 7, 7, 7, 2, 0, 0, 0, 0, 0, -1000, 900, 1000, -1000, 1000]);
    const { ids, weights } = await route(logits, 4, false, "f32");
    expect(ids).toEqual([1, 2, 3, 0, 0, 1, 2, 3, 2, 4, 1, 0]);
    expect(weights.slice(4, 8)).toEqual(Array(4).fill(expect.closeTo(0.2, 6)));
    expect(weights.slice(8)).toEqual([0.5, 0.5, 0, 0]);
  });

  test.each([
    [1, 1, 1],
    [1, 4, 2],
    [7, 5, 2],
    [32, 8, 1],
    [300, 63, 2],
    [129, 3, 3],
    // More experts than one workgroup answers for.
    [100, 1000, 2],
  ])("route_positions, %i tokens, %i experts, top %i", async (tokens, experts, topK) => {
    const ids = randomIds(tokens, experts, topK);
    const results = await runKernel(
      await testGpu(),
      routePositions,
      { tokens, experts, topK },
      "f32",
      { ids: encodeIds(ids) },
      { positions: 4 * ids.length, counts: 4 * experts, offsets: 4 * (experts + 1) },
    );
    expect({
      positions: decodeIds(output(results, "positions")),
      counts: decodeIds(output(results, "counts")),
      offsets: decodeIds(output(results, "offsets")),
    }).toEqual(expectedPositions(ids, experts));
  });

  test.each(
    dtypes.flatMap((dtype) =>
      [
        [1, 1, 1, 1],
        [9, 4, 2, 7],
        [40, 6, 3, 8],
        [5, 16, 4, 37],
        [7, 32, 6, 12],
        [23, 32, 10, 10],
      ].map(([tokens = 0, experts = 0, topK = 0, hidden = 0]) => ({
        dtype,
        tokens,
        experts,
        topK,
        hidden,
      })),
    ),
  )(
    "permute_tokens and combine_tokens, $dtype, $tokens tokens of $hidden, top $topK of $experts",
    async ({ dtype, tokens, experts, topK, hidden }) => {
      const gpu = await testGpu();
      const shape = { tokens, topK, hidden, experts };
      const x = randomTensor(tokens, hidden, dtype, randomSource(tokens));
      const ids = randomIds(tokens, experts, topK);
      const { positions, counts, offsets } = expectedPositions(ids, experts);
      const tables = {
        ids: encodeIds(ids),
        positions: encodeIds(positions),
        offsets: encodeIds(offsets),
      };
      const sorted = decode(
        output(
          await runKernel(
            gpu,
            permuteTokens,
            shape,
            dtype,
            { x: encode(x, dtype), ...tables },
            {
              y: tensorBytes(tokens * topK, hidden, dtype),
            },
          ),
          "y",
        ),
        tokens * topK,
        hidden,
        dtype,
      );
      const byExpert = ids
        .map((id, choice) => ({ id, choice }))
        .toSorted((a, b) => a.id - b.id || a.choice - b.choice)
        .flatMap(({ choice }) => {
          const first = Math.floor(choice / topK) * hidden;
          return Array.from(x.values.subarray(first, first + hidden));
        });
      expect([...sorted.values]).toEqual(byExpert);

      // At most two rows of each expert were kept; the others hold what must not be read.
      const kept = counts.map((count) => Math.min(count, 2));
      const weights = randomTensor(tokens, topK, "f32", randomSource(hidden)).values;
      const rows = encode(sorted, dtype);
      const rowBytes = tensorBytes(1, hidden, dtype);
      for (const [expert, count] of counts.entries()) {
        const first = (offsets[expert] ?? 0) + (kept[expert] ?? 0);
        rows.fill(0xff, first * rowBytes, (first + count - (kept[expert] ?? 0)) * rowBytes);
      }
      const results = await runKernel(
        gpu,
        combineTokens,
        shape,
        dtype,
        {
          x: rows,
          ...tables,
          kept: encodeIds(kept),
          weights: new Uint8Array(Float32Array.from(weights).buffer),
        },
        { y: tensorBytes(tokens, hidden, dtype) },
      );
      const values = new Float64Array(tokens * hidden);
      const magnitudes = new Float64Array(tokens * hidden);
      for (const [choice, id] of ids.entries()) {
        if ((positions[choice] ?? 0) >= (kept[id] ?? 0)) continue;
        for (let i = 0; i < hidden; i++) {
          const index = Math.floor(choice / topK) * hidden + i;
          const term = (weights[choice] ?? 0) * (x.values[index] ?? 0);
          values[index] = (values[index] ?? 0) + term;
          magnitudes[index] = (magnitudes[index] ?? 0) + Math.abs(term);
        }
      }
      const actual = decode(output(results, "y"), tokens, hidden, dtype).values;
      expect(outOfTolerance(actual, { values, magnitudes, terms: topK }, dtype)).toEqual([]);
    },
  );

  test.each(dtypes)(
    "rows weighted on their way to experts are added up unweighted, %s",
    async (dtype) => {
      const gpu = await testGpu();
      const [tokens, experts, topK, hidden] = [9, 8, 5, 7];
      const shape = { tokens, topK, hidden, experts };
      const x = randomTensor(tokens, hidden, dtype, randomSource(tokens));
      const ids = randomIds(tokens, experts, topK);
      const { positions, counts, offsets } = expectedPositions(ids, experts);
      const tables = {
        ids: encodeIds(ids),
        positions: encodeIds(positions),
        offsets: encodeIds(offsets),
      };
      // Powers of two, so that products are exact.
      const weights = Float32Array.from({ length: tokens * topK }, (_, i) => 2 ** (i % 4));
      const sorted = await runKernel(
        gpu,
        permuteTokens,
        { ...shape, weighted: true },
        dtype,
        { x: encode(x, dtype), ...tables, weights: new Uint8Array(weights.buffer) },
        { y: tensorBytes(tokens * topK, hidden, dtype) },
      );
      const rows = decode(output(sorted, "y"), tokens * topK, hidden, dtype).values;
      for (const [choice, id] of ids.entries()) {
        const at = ((offsets[id] ?? 0) + (positions[choice] ?? 0)) * hidden;
        const first = Math.floor(choice / topK) * hidden;
        const expected = x.values
          .subarray(first, first + hidden)
          .map((v) => (weights[choice] ?? 0) * v);
        expect([...rows.subarray(at, at + hidden)]).toEqual([...expected]);
      }
      const combined = await runKernel(
        gpu,
        combineTokens,
        { ...shape, unweighted: true },
        dtype,
        {
          x: new Uint8Array(output(sorted, "y")),
          ...tables,
          kept: encodeIds(counts),
        },
        { y: tensorBytes(tokens, hidden, dtype) },
      );
      const values = x.values.map((v, i) => {
        const first = Math.floor(i / hidden) * topK;
        return v * weights.subarray(first, first + topK).reduce((a, b) => a + b, 0);
      });
      const actual = decode(output(combined, "y"), tokens, hidden, dtype).values;
      const expected = { values, magnitudes: values.map(Math.abs), terms: topK };
      expect(outOfTolerance(actual, expected, dtype)).toEqual([]);
    },
  );
});
