import { expect, test } from "vitest";
import { fromHalf, toHalf } from "../../src/kernels/half.ts";

const all = Array.from({ length: 2 ** 16 }, (_, half) => half);

/** IEEE 754-2019, 3.4: sign, five bits of exponent with a bias of 15, ten of fraction. */
function valueOf(half: number): number {
  const sign = half >= 0x8000 ? -1 : 1;
  const exponent = Math.floor(half / 1024) % 32;
  const fraction = (half % 1024) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

test("every half has the value that the standard gives it, zeros their signs", () => {
  expect(all.filter((half) => !Object.is(fromHalf(half), valueOf(half)))).toEqual([]);
});

test("every half comes back as itself, but for NaNs", () => {
  const numbers = all.filter((half) => !Number.isNaN(valueOf(half)));
  expect(numbers.filter((half) => toHalf(valueOf(half)) !== half)).toEqual([]);
});
