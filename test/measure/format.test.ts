import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatBytes, formatNumber, formatPercent, formatValue } from "../../src/measure/format.ts";
import { thousands } from "../../src/measure/thousands.ts";

describe("numbers", () => {
  test.each([
    [0, "0"],
    [0.1234, "0.123"],
    [0.00012, "1.2e-4"],
    [12.345, "12.3"],
    [319_488, "319,488"],
    [-1234.5, "-1,235"],
  ])("%d is written %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test("thousands are set apart as the language's tables have it", () => {
    const finite = fc.double({ min: -1e20, max: 1e20, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(finite, fc.integer()), (value) => {
        const options = { maximumFractionDigits: 0, signDisplay: "negative" } as const;
        expect(thousands(value)).toBe(value.toLocaleString("en-US", options));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.9, "1 kB"],
    [21.7e9, "21.7 GB"],
    [16 * 2 ** 20, "16.8 MB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test("a share is a percentage, and a tiny one is not rounded to nothing", () => {
    expect(formatPercent(0.661)).toBe("66.1 %");
    expect(formatPercent(0)).toBe("0.0 %");
    expect(formatPercent(0.00012)).toBe("0.012 %");
  });

  test("rates scale their unit", () => {
    expect(formatValue(13.1e9, "FLOP/s")).toBe("13.1 GFLOP/s");
  });
});
