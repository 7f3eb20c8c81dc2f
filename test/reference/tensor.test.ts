import { expect, test } from "vitest";
import { matrix, multiply } from "../../src/reference/tensor.ts";

/** Small whole numbers, whose products and sums are exact in any order. */
function numbers(rows: number, columns: number, step: number) {
  const values = Float64Array.from({ length: rows * columns }, (_, i) => ((i * step) % 13) - 6);
  return matrix(rows, columns, values);
}

test.for([
  [1, 1, 1],
  [4, 8, 2],
  [5, 3, 1],
  [7, 1, 9],
  [2, 6, 5],
  [3, 0, 4],
] as const)("a product of %i × %i with %i columns is what its definition says", ([m, k, n]) => {
  const [a, b] = [numbers(m, k, 5), numbers(k, n, 7)];
  const expected = Array.from({ length: m * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let i = 0; i < k; i += 1) sum += a.data[row * k + i]! * b.data[i * n + column]!;
    return sum;
  });
  expect([...multiply(a, b).data]).toEqual(expected);
});
