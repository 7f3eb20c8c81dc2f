import { describe, expect, test } from "vitest";
import { activations } from "../../src/plan/activation.ts";
import { activationFunctions, gateFactor } from "../../src/reference/activations.ts";
import { attend } from "../../src/reference/attend.ts";
import { activationSlopes, gateFactorSlope } from "../../src/reference/backward/activation.ts";
import { affineGradient } from "../../src/reference/backward/affine.ts";
import { attendGradient } from "../../src/reference/backward/attend.ts";
import { crossEntropy } from "../../src/reference/backward/cross_entropy.ts";
import { headNormGradient } from "../../src/reference/backward/head_norm.ts";
import { normGradient } from "../../src/reference/backward/norm.ts";
import { auxiliaryLoss, zLoss } from "../../src/reference/backward/router_losses.ts";
import { choiceWeightsGradient } from "../../src/reference/backward/routing.ts";
import { squaredError } from "../../src/reference/backward/squared_error.ts";
import { normalizeHeads } from "../../src/reference/head_norm.ts";
import {
  feedForward,
  feedForwardGradient,
  type NetworkPart,
} from "../../src/reference/layers/feed_forward.ts";
import { normalise } from "../../src/reference/layers/norm.ts";
import { choiceWeights, topExperts } from "../../src/reference/routing.ts";
import { placesOf, turnHead, turnsAt } from "../../src/reference/rotary.ts";
import type { ScoreShape } from "../../src/reference/scores.ts";
import { dot, matrix, type Matrix, transform } from "../../src/reference/tensor.ts";
import { drawn, gradientError } from "../support/finite_differences.ts";

const accepted = 1e-6;

function drawnMatrix(name: string, rows: number, columns: number): Matrix {
  return matrix(rows, columns, drawn(name, rows * columns));
}

test("a product and its bias", () => {
  const x = drawnMatrix("x", 5, 7);
  const weight = drawnMatrix("weight", 7, 3);
  const bias = drawn("bias", 3);
  const dy = drawnMatrix("dy", 5, 3);
  const gradient = affineGradient(x, weight, dy);
  const along = (y: Matrix): number => dot(y.data, dy.data);
  const { data } = weight;
  expect(
    gradientError(
      (at) => along(transform({ ...x, data: at }, { weight, bias })),
      x.data,
      gradient.x.data,
    ),
  ).toBeLessThan(accepted);
  expect(
    gradientError(
      (at) => along(transform(x, { weight: { ...weight, data: at }, bias })),
      data,
      gradient.weight.data,
    ),
  ).toBeLessThan(accepted);
  expect(
    gradientError((at) => along(transform(x, { weight, bias: at })), bias, gradient.bias),
  ).toBeLessThan(accepted);
});

describe.each(activations)("%s", (activation) => {
  // On both sides of 0, and of what is clamped, beside corners.
  const x = Float64Array.of(-9.3, -6.9, -2.2, -0.7, -0.01, 0.01, 0.4, 1.9, 6.8, 7.4);

  test("slope", () => {
    const of = activationFunctions(activation);
    const sum = (at: Float64Array): number => at.reduce((total, value) => total + of(value), 0);
    expect(gradientError(sum, x, x.map(activationSlopes(activation)))).toBeLessThan(accepted);
  });

  test("slope of what it gates", () => {
    expect(
      gradientError(
        (at) => at.reduce((total, value) => total + gateFactor(activation, value), 0),
        x,
        x.map((value) => gateFactorSlope(activation, value)),
      ),
    ).toBeLessThan(accepted);
  });
});

describe.each([true, false])("a network, gated: %s", (gated) => {
  // Wide enough that inner values are on both sides of what is clamped.
  const x = matrix(
    3,
    5,
    drawn("x", 15).map((value) => 9 * value),
  );
  const dy = drawnMatrix("dy", 3, 4);
  const size: Readonly<Record<NetworkPart, readonly [k: number, n: number]>> = {
    up: [5, 7],
    gate: [5, 7],
    down: [7, 4],
  };
  const weights = { up: drawn("up", 35), gate: drawn("gate", 35), down: drawn("down", 28) };

  test.each(activations)("%s", (activation) => {
    const network = { activation, gated };
    const affineOf = (given: typeof weights) => (part: NetworkPart) => ({
      weight: matrix(...size[part], given[part]),
    });
    const of = (at: Matrix, given: typeof weights): number =>
      dot(feedForward(network, at, affineOf(given)).data, dy.data);
    const found = new Map<NetworkPart, Float64Array>();
    const dx = feedForwardGradient(network, x, affineOf(weights), dy, (part, { weight }) =>
      found.set(part, weight.data),
    );
    const errorOf = (part: NetworkPart, gradient: Float64Array): number =>
      gradientError((at) => of(x, { ...weights, [part]: at }), weights[part], gradient, 1e-4);
    expect(
      gradientError((at) => of({ ...x, data: at }, weights), x.data, dx.data, 1e-4),
    ).toBeLessThan(accepted);
    expect([...found.keys()].toSorted()).toEqual(gated ? ["down", "gate", "up"] : ["down", "up"]);
    for (const [part, gradient] of found) expect(errorOf(part, gradient)).toBeLessThan(accepted);
  });
});

test("a soft cap", () => {
  const x = drawn("x", 9).map((value) => 3 * value);
  const of = activationFunctions("softcap", 1.3);
  expect(
    gradientError(
      (at) => at.reduce((total, value) => total + of(value), 0),
      x,
      x.map(activationSlopes("softcap", 1.3)),
    ),
  ).toBeLessThan(accepted);
});

test.each(["rms", "layer"] as const)("%s norm", (norm) => {
  const x = drawn("x", 7);
  const dy = drawn("dy", 7);
  const one = Float64Array.from(x, () => 1);
  const epsilon = 0.01;
  const { x: dx, normalized } = normGradient(x, dy, { isCentered: norm === "layer", epsilon });
  const of = (at: Float64Array): Float64Array =>
    normalise(matrix(1, 7, at), { norm, epsilon }, one).data;
  expect(gradientError((at) => dot(of(at), dy), x, dx)).toBeLessThan(accepted);
  for (const [i, value] of of(x).entries()) expect(normalized[i]).toBeCloseTo(value, 14);
});

test.each(["head", "each-head", "all-heads", "unweighted"] as const)(
  "norm of queries and keys: %s",
  (kind) => {
    const size = { heads: 3, headDim: 5 };
    const norm = { kind, epsilon: 0.01 };
    const x = drawn("x", 15);
    const dy = drawn("dy", 15);
    const gains = kind === "unweighted" ? [] : [drawn("gains", kind === "head" ? 5 : 15)];
    const of = (at: Float64Array, own: Float64Array | undefined): number => {
      const row = at.slice();
      normalizeHeads(row, norm, { ...size, ...(own && { gains: own }) });
      return dot(row, dy);
    };
    const [own] = gains;
    const dGains = own && new Float64Array(own.length);
    const dx = headNormGradient(x, dy, norm, { ...size, ...(own && { gains: own }) }, dGains);
    expect(gradientError((at) => of(at, own), x, dx)).toBeLessThan(accepted);
    for (const each of gains) {
      expect(gradientError((at) => of(x, at), each, dGains!)).toBeLessThan(accepted);
    }
  },
);

test.each([true, false])("positions turn gradients back, neighbors paired: %s", (interleaved) => {
  const turn = { first: 4, dims: 6, interleaved };
  const rotations = { frequencies: [1, 0.3, 0.02], magnitude: 1.25 };
  const x = drawn("x", 13);
  const dy = drawn("dy", 13);
  const of = (at: Float64Array, position: number): Float64Array => {
    const head = at.slice();
    turnHead(head, turn, turnsAt(rotations, position));
    return head;
  };
  expect(gradientError((at) => dot(of(at, 5), dy), x, of(dy, -5))).toBeLessThan(accepted);
  expect(placesOf(turn, 0)[0]).toBe(4);
});

interface Seen extends Pick<ScoreShape, "softcap" | "window" | "chunk" | "alibi" | "scale"> {
  readonly causal?: boolean;
  readonly hasSinks?: boolean;
}

const seen: Readonly<Record<string, Seen>> = {
  "all positions": {},
  "a causal mask": { causal: true },
  "a window": { causal: true, window: 2 },
  "a window both ways": { window: 3 },
  chunks: { causal: true, chunk: 3 },
  "capped scores of another scale": { causal: true, softcap: 0.9, scale: 0.8 },
  slopes: { causal: true, alibi: { heads: 6, first: 0 } },
  sinks: { causal: true, hasSinks: true },
};

test.each(Object.entries(seen))("attention with %s", (_name, { hasSinks = false, ...options }) => {
  const sizes = { sequence: 5, heads: 6, kvHeads: 2, headDim: 3, valueDim: 4 };
  const shape = { causal: false, ...options, ...sizes };
  const given = {
    q: drawn("q", 10 * 6 * 3).map((value) => 2 * value),
    k: drawn("k", 10 * 2 * 3),
    v: drawn("v", 10 * 2 * 4),
    sinks: drawn("sinks", 6),
  };
  const dy = drawnMatrix("dy", 10, 6 * 4);
  const operands = (at: typeof given) =>
    [matrix(10, 18, at.q), matrix(10, 6, at.k), matrix(10, 8, at.v)] as const;
  const sinksOf = ({ sinks }: typeof given) => (hasSinks ? sinks : undefined);
  const of = (at: typeof given): number =>
    dot(attend(shape, ...operands(at), sinksOf(at)).data, dy.data);
  const { q, k, v, sinks } = attendGradient(shape, ...operands(given), dy, sinksOf(given));
  const parts = Object.entries({ q: q.data, k: k.data, v: v.data, ...(hasSinks && { sinks }) });
  for (const [part, gradient] of parts) {
    const x = given[part as keyof typeof given];
    expect(gradientError((at) => of({ ...given, [part]: at }), x, gradient)).toBeLessThan(accepted);
  }
});

test("cross-entropy, of logits that would overflow too", () => {
  const logits = drawnMatrix("logits", 3, 7);
  const labels = [6, 0, 3];
  const of = (at: Float64Array): number => crossEntropy({ ...logits, data: at }, labels).loss;
  expect(gradientError(of, logits.data, crossEntropy(logits, labels).gradient.data)).toBeLessThan(
    accepted,
  );
  const far = logits.data.map((value) => value + 2000);
  expect(of(far)).toBeCloseTo(of(logits.data), 9);
  expect(crossEntropy(matrix(2, 4), [1, 2]).loss).toBeCloseTo(2 * Math.log(4), 14);
});

test("squared error", () => {
  const y = drawnMatrix("y", 3, 5);
  const targets = drawnMatrix("targets", 3, 5);
  const of = (at: Float64Array): number => squaredError({ ...y, data: at }, targets).loss;
  expect(gradientError(of, y.data, squaredError(y, targets).gradient.data)).toBeLessThan(accepted);
  expect(squaredError(matrix(1, 2, Float64Array.of(3, 1)), matrix(1, 2)).loss).toBe(5);
});

describe.each(["softmax", "sigmoid"] as const)("a router's %s", (scoring) => {
  test.each([true, false])("weights of the chosen, renormalised: %s", (renormalise) => {
    const rule = { topK: 3, renormalise, scoring, routedScale: 2.5 };
    const logits = drawn("logits", 7);
    const chosen = topExperts(logits, rule);
    const dWeights = drawn("dWeights", 3);
    expect(
      gradientError(
        (at) => dot(choiceWeights(at, chosen, rule), dWeights),
        logits,
        choiceWeightsGradient(logits, chosen, rule, dWeights),
      ),
    ).toBeLessThan(accepted);
  });

  test("auxiliary loss", () => {
    const logits = drawnMatrix("logits", 5, 7);
    const choices = Uint32Array.of(0, 3, 3, 1, 6, 3, 2, 0, 3, 6);
    const of = (at: Float64Array): number =>
      auxiliaryLoss({ ...logits, data: at }, choices, { scoring }).loss;
    expect(
      gradientError(of, logits.data, auxiliaryLoss(logits, choices, { scoring }).gradient.data),
    ).toBeLessThan(accepted);
    const even = Uint32Array.of(0, 1, 2, 3);
    expect(auxiliaryLoss(matrix(2, 4), even, { scoring }).loss).toBeCloseTo(1, 14);
  });
});

test("a router's z-loss", () => {
  const logits = drawnMatrix("logits", 5, 7);
  const of = (at: Float64Array): number => zLoss({ ...logits, data: at }).loss;
  expect(gradientError(of, logits.data, zLoss(logits).gradient.data)).toBeLessThan(accepted);
  expect(zLoss(matrix(3, 4)).loss).toBeCloseTo(Math.log(4) ** 2, 14);
});
