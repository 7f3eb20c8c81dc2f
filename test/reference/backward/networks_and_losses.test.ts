import { describe, expect, test } from "vitest";
import { activations } from "../../../src/plan/activation.ts";
import { headNormGradient } from "../../../src/reference/backward/head_norm.ts";
import {
  choiceWeightsGradient,
  routerPullGradient,
  routerPullLoss,
} from "../../../src/reference/backward/routing.ts";
import { crossEntropy, squaredError } from "../../../src/reference/backward/losses.ts";
import { normalizeHeads } from "../../../src/reference/head_norm.ts";
import {
  feedForward,
  feedForwardGradient,
  type NetworkPart,
} from "../../../src/reference/layers/feed_forward.ts";
import { choiceWeights, topExperts } from "../../../src/reference/routing.ts";
import { placesOf, turnHead, turnsAt } from "../../../src/reference/rotary.ts";
import { dot, matrix, type Matrix } from "../../../src/reference/tensor.ts";
import { drawn } from "../../support/drawn.ts";
import {
  centralDifference,
  differenceError,
  gradientError,
} from "../../support/finite_difference.ts";

/** Of a gradient, from the slopes of f at x. */
function slopeError(
  f: (x: Float64Array) => number,
  x: Float64Array,
  gradient: Float64Array,
): number {
  return gradientError(gradient, centralDifference(f, x));
}

function drawnMatrix(name: string, rows: number, columns: number): Matrix {
  return matrix(rows, columns, drawn(name, rows * columns));
}

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
    const dx = feedForwardGradient(network, x, affineOf(weights), dy, (part, { dw }) =>
      found.set(part, dw.data),
    );
    const errorOf = (part: NetworkPart, gradient: Float64Array): number =>
      slopeError((at) => of(x, { ...weights, [part]: at }), weights[part], gradient);
    expect(slopeError((at) => of({ ...x, data: at }, weights), x.data, dx.data)).toBeLessThan(
      differenceError,
    );
    expect([...found.keys()].toSorted()).toEqual(gated ? ["down", "gate", "up"] : ["down", "up"]);
    for (const [part, gradient] of found)
      expect(errorOf(part, gradient)).toBeLessThan(differenceError);
  });
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
    expect(slopeError((at) => of(at, own), x, dx)).toBeLessThan(differenceError);
    for (const each of gains) {
      expect(slopeError((at) => of(x, at), each, dGains!)).toBeLessThan(differenceError);
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
  expect(slopeError((at) => dot(of(at, 5), dy), x, of(dy, -5))).toBeLessThan(differenceError);
  expect(placesOf(turn, 0)[0]).toBe(4);
});

test("cross-entropy, of logits that would overflow too", () => {
  const logits = drawnMatrix("logits", 3, 7);
  const labels = [6, 0, 3];
  const of = (at: Float64Array): number => crossEntropy({ ...logits, data: at }, labels).loss;
  expect(slopeError(of, logits.data, crossEntropy(logits, labels).gradient.data)).toBeLessThan(
    differenceError,
  );
  const far = logits.data.map((value) => value + 2000);
  expect(of(far)).toBeCloseTo(of(logits.data), 9);
  expect(crossEntropy(matrix(2, 4), [1, 2]).loss).toBeCloseTo(2 * Math.log(4), 14);
});

test("squared error", () => {
  const y = drawnMatrix("y", 3, 5);
  const targets = drawnMatrix("targets", 3, 5);
  const of = (at: Float64Array): number => squaredError({ ...y, data: at }, targets).loss;
  expect(slopeError(of, y.data, squaredError(y, targets).gradient.data)).toBeLessThan(
    differenceError,
  );
  expect(squaredError(matrix(1, 2, Float64Array.of(3, 1)), matrix(1, 2)).loss).toBe(5);
});

describe.each(["softmax", "sigmoid"] as const)("a router's %s", (scoring) => {
  test.each([true, false])("weights of the chosen, renormalised: %s", (renormalise) => {
    const rule = { topK: 3, renormalise, scoring, routedScale: 2.5 };
    const logits = drawn("logits", 7);
    const chosen = topExperts(logits, rule);
    const dWeights = drawn("dWeights", 3);
    expect(
      slopeError(
        (at) => dot(choiceWeights(at, chosen, rule), dWeights),
        logits,
        choiceWeightsGradient(logits, chosen, rule, dWeights),
      ),
    ).toBeLessThan(differenceError);
  });
});

test.each(["softmax", "sigmoid"] as const)("what pulls a router besides, of %s", (scoring) => {
  const logits = drawn("logits", 7);
  const choices = drawn("choices", 7).map(Math.abs);
  const pull = { balance: { factor: 0.3, choices }, logarithm: 0.7 };
  expect(
    slopeError(
      (at) => routerPullLoss(at, pull, { scoring }),
      logits,
      routerPullGradient(logits, pull, { scoring }),
    ),
  ).toBeLessThan(differenceError);
});
