// Rules of the backward pass against central differences of the forward pass, in f64.

import { describe, expect, test } from "vitest";
import type { Activation } from "../../../src/kernels/activation.ts";
import { activations } from "../../../src/plan/activation.ts";
import { activationFunctions, gateFactor } from "../../../src/reference/activations.ts";
import { activationGradients } from "../../../src/reference/backward/gated_activation.ts";
import { normGradients, normStatistics } from "../../../src/reference/backward/norm_rows.ts";
import {
  biasGradient,
  inputGradient,
  weightGradient,
} from "../../../src/reference/backward/product.ts";
import { matrix, type Matrix, rowOf, transform } from "../../../src/reference/tensor.ts";
import {
  centralDifference,
  differenceError,
  gradientError,
  weightedSum,
} from "../../support/finite_difference.ts";
import { randomSource } from "../../support/tensors.ts";

const random = randomSource(11);
function numbers(count: number, size = 1): Float64Array {
  return Float64Array.from({ length: count }, () => size * (2 * random() - 1));
}

test("a product: gradients of its input, weights and bias", () => {
  const [m, n, k] = [4, 5, 3];
  const [x, w, bias, dy] = [numbers(m * k), numbers(k * n), numbers(n), numbers(m * n)];
  const loss = (ofX: Float64Array, ofW: Float64Array, ofBias: Float64Array): number =>
    weightedSum(transform(matrix(m, k, ofX), { weight: matrix(k, n, ofW), bias: ofBias }).data, dy);
  const given = matrix(m, n, dy);
  const pairs: [Float64Array, Float64Array][] = [
    [inputGradient(given, matrix(k, n, w)).data, centralDifference((v) => loss(v, w, bias), x)],
    [weightGradient(matrix(m, k, x), given).data, centralDifference((v) => loss(x, v, bias), w)],
    [biasGradient(given), centralDifference((v) => loss(x, w, v), bias)],
  ];
  for (const [rule, difference] of pairs) {
    expect(gradientError(rule, difference)).toBeLessThan(differenceError);
  }
});

test.each(["none", "softcap", ...activations] satisfies Activation[])(
  "%s, by itself and gated",
  (activation) => {
    const cap = 3;
    // Beyond the clamps on both sides, and off the kinks.
    const [u, gate, dh] = [numbers(40, 9), numbers(40, 9), numbers(40)];
    const activate = activationFunctions(activation, cap);
    const plain = (v: Float64Array): number => weightedSum(v.map(activate), dh);
    const gated = (v: Float64Array, g: Float64Array): number =>
      weightedSum(
        v.map((value, i) => activate(value) * gateFactor(activation, g[i] ?? 0)),
        dh,
      );
    const own = activationGradients({ activation, cap }, dh, u);
    expect(gradientError(own.du, centralDifference(plain, u))).toBeLessThan(differenceError);
    const both = activationGradients({ activation, cap }, dh, u, gate);
    const ofInput = centralDifference((v) => gated(v, gate), u);
    const ofGate = centralDifference((g) => gated(u, g), gate);
    expect(gradientError(both.du, ofInput)).toBeLessThan(differenceError);
    expect(gradientError(both.dgate ?? new Float64Array(), ofGate)).toBeLessThan(differenceError);
  },
);

describe.each([false, true])("a norm, centered: %s", (centered) => {
  const [rows, columns] = [3, 7];
  const rule = { epsilon: 1e-3, centered };
  function norm(x: Matrix, gain: Float64Array, bias: Float64Array): Float64Array {
    const y = matrix(rows, columns);
    for (let row = 0; row < rows; row++) {
      const { mean, scale } = normStatistics(rowOf(x, row), rule);
      rowOf(y, row).set(
        rowOf(x, row).map((value, c) => (value - mean) * scale * gain[c]! + bias[c]!),
      );
    }
    return y.data;
  }

  test("gradients of its input, gain and bias", () => {
    const x = numbers(rows * columns, 2).map((value) => value + 0.5);
    const [gain, bias, dy] = [numbers(columns), numbers(columns), numbers(rows * columns)];
    const loss = (ofX: Float64Array, ofGain: Float64Array, ofBias: Float64Array): number =>
      weightedSum(norm(matrix(rows, columns, ofX), ofGain, ofBias), dy);
    const { dx, dgain, dbias } = normGradients(
      matrix(rows, columns, x),
      gain,
      matrix(rows, columns, dy),
      rule,
    );
    const pairs: [Float64Array, Float64Array][] = [
      [dx.data, centralDifference((v) => loss(v, gain, bias), x)],
      [dgain, centralDifference((v) => loss(x, v, bias), gain)],
      [dbias, centralDifference((v) => loss(x, gain, v), bias)],
    ];
    for (const [rule_, difference] of pairs) {
      expect(gradientError(rule_, difference)).toBeLessThan(differenceError);
    }
  });
});
