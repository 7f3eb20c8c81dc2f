import { describe, expect, test } from "vitest";
import { toHalf } from "../../src/kernels/half.ts";
import { allowedError, beforehand, errorOf } from "../../src/tuning/agreement.ts";

function f32(...values: number[]): ArrayBuffer {
  return new Float32Array(values).buffer;
}
function f16(...values: number[]): ArrayBuffer {
  return new Uint16Array(values.map(toHalf)).buffer;
}
function u32(...values: number[]): ArrayBuffer {
  return new Uint32Array(values).buffer;
}

describe("the error of a variant", () => {
  test("is 0 for the same bytes, NaN and what nobody wrote included", () => {
    const bytes = f32(1, Number.NaN, 0.5);
    expect(errorOf({ before: f32(9, 9, 0.5), reference: bytes, actual: bytes }, "f32")).toBe(0);
  });

  test("is relative to the largest value that the reference wrote", () => {
    const before = f32(0.1, 0.2, 1e9);
    const reference = f32(-4, 1, 1e9);
    expect(errorOf({ before, reference, actual: f32(-4, 1.5, 1e9) }, "f32")).toBe(0.125);
  });

  test("counts what only one of the two wrote", () => {
    const before = f32(0.1, 0.2);
    expect(errorOf({ before, reference: f32(1, 2), actual: f32(1, 0.2) }, "f32")).toBeGreaterThan(
      0.5,
    );
    expect(errorOf({ before, reference: f32(1, 0.2), actual: f32(1, 2) }, "f32")).toBeGreaterThan(
      0.5,
    );
  });

  test("is infinite for NaN and infinity in the place of numbers", () => {
    for (const wrong of [Number.NaN, Infinity]) {
      const outputs = { before: f32(0), reference: f32(1), actual: f32(wrong) };
      expect(errorOf(outputs, "f32")).toBe(Infinity);
    }
  });

  test("of halves is that of their values", () => {
    const outputs = { before: f16(0, 0), reference: f16(2, 1), actual: f16(2, 1.5) };
    expect(errorOf(outputs, "f16")).toBe(0.25);
  });

  test("of integers is all or nothing", () => {
    const before = u32(0, 0);
    expect(errorOf({ before, reference: u32(7, 8), actual: u32(7, 8) }, "u32")).toBe(0);
    expect(errorOf({ before, reference: u32(7, 8), actual: u32(7, 9) }, "u32")).toBe(Infinity);
  });
});

describe("the error that is allowed", () => {
  test.each([1, 64, 1024, 16_384])("is far below a missing term, of %i terms", (terms) => {
    expect(allowedError(terms, "f32")).toBeLessThan(0.02 / Math.sqrt(terms));
    expect(allowedError(terms, "f16")).toBeLessThan(0.5 / Math.sqrt(terms));
  });

  test("is none for integers, and grows with the terms of a sum", () => {
    expect(allowedError(64, "u32")).toBe(0);
    expect(allowedError(16_384, "f32")).toBeGreaterThan(allowedError(64, "f32"));
  });
});

test("what lies in outputs beforehand is finite, of many values, and the same every time", () => {
  const floats = new Float32Array(beforehand(400, "f32"));
  expect(Math.max(...floats.map(Math.abs))).toBeLessThanOrEqual(1);
  expect(new Set(floats).size).toBeGreaterThan(90);
  expect(beforehand(400, "f32")).toEqual(floats.buffer);
  const halves = new Uint16Array(beforehand(400, "f16"));
  expect(halves.every((half) => (half & 0x7c00) < 0x4000)).toBe(true);
});
