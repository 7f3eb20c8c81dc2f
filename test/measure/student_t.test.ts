import { expect, test } from "vitest";
import { NORMAL_POINT, studentPoint } from "../../src/measure/student_t.ts";

test.each([
  [1, 12.706],
  [2, 4.303],
  [10, 2.228],
  [11, 2.201],
  [20, 2.086],
  [120, 1.98],
])("with %i degrees of freedom the point is %d, as tables have it", (degrees, point) => {
  expect(studentPoint(degrees)).toBeCloseTo(point, 2);
});

test("the point falls with the degrees, whole or not, to that of the normal distribution", () => {
  const degrees = [0.2, 1, 1.5, 2, 2.5, 9.9, 10, 10.1, 50];
  const found = degrees.map(studentPoint);
  expect(found).toEqual(found.toSorted((a, b) => b - a));
  expect(studentPoint(1e9)).toBeCloseTo(NORMAL_POINT, 6);
});
