import { expect, test } from "vitest";
import { checkOf } from "../../bench/peers/check.ts";
import { operand, operandsOf } from "../../bench/peers/operands.ts";
import { type Task, tasks } from "../../bench/peers/tasks.ts";
import { sampledRows } from "../../bench/expected_rows.ts";

const small: Task = { op: "matmul", m: 5, k: 7, n: 3 };

/** x · w in f32 steps, as a slow peer would compute it. */
function right({ m, k, n }: Extract<Task, { op: "matmul" }>): Float32Array {
  const operands = operandsOf(small);
  const { values: x } = operand(operands, "x");
  const { values: w } = operand(operands, "w");
  const y = new Float32Array(m * n);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      for (let l = 0; l < k; l += 1) {
        y[i * n + j] = Math.fround((y[i * n + j] ?? 0) + (x[i * k + l] ?? 0) * (w[l * n + j] ?? 0));
      }
    }
  }
  return y;
}

test("control: a product in f32 is right, and all of a small result is checked", () => {
  const verdict = checkOf(small)(right(small));
  expect(verdict).toMatchObject({ checkedRows: 5, rows: 5 });
  expect(verdict.wrong).toBeUndefined();
  expect(verdict.largestError).toBeLessThan(1e-6);
});

test("one element that is off by a ten-thousandth is found, and where it is", () => {
  const y = right(small);
  y[3 * 3 + 2] = (y[3 * 3 + 2] ?? 0) + 1e-4;
  expect(checkOf(small)(y).wrong).toMatch(/^row 3, column 2: /);
});

test.each([Number.NaN, Infinity])("%f is wrong", (value) => {
  const y = right(small);
  y[0] = value;
  expect(checkOf(small)(y).wrong).toMatch(/^row 0, column 0: /);
});

test("a result that is too short is wrong", () => {
  expect(checkOf(small)(right(small).subarray(1)).wrong).toBe(
    "14 elements where there should be 15",
  );
});

test("sampled rows are different, in order, and hold both ends", () => {
  const rows = sampledRows(1024, 286.1);
  expect(rows).toHaveLength(286);
  expect(rows).toEqual([...new Set(rows)].toSorted((a, b) => a - b));
  expect([rows[0], rows.at(-1)]).toEqual([0, 1023]);
  expect(sampledRows(3, 100)).toEqual([0, 1, 2]);
});

test("every operation is raced at a shape that is no multiple of 4", () => {
  const odd = tasks.filter((task) =>
    Object.values(task).some((size) => typeof size === "number" && size > 1 && size % 4 !== 0),
  );
  expect(new Set(odd.map(({ op }) => op))).toEqual(new Set(tasks.map(({ op }) => op)));
});
