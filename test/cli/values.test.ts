import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { progressLine } from "../../src/cli/progress_line.ts";
import { duration, wholeNumber } from "../../src/cli/values.ts";

test.each([
  ["500ms", 500],
  ["5s", 5000],
  ["5", 5000],
  ["1.5min", 90_000],
  [" 2 s ", 2000],
])("the duration %j is %i ms", (text, ms) => {
  expect(duration(text)).toBe(ms);
});

test.each(["", "0s", "-1s", "5h", "soon", "NaN", "1e3s"])("the duration %j is refused", (text) => {
  expect(() => duration(text)).toThrow(InvalidArgumentError);
});

test.each(["0", "1.5", "", " ", "x", "NaN", "Infinity", "9007199254740993"])(
  "%j is no whole number of at least 1",
  (text) => {
    expect(() => wholeNumber(1)(text)).toThrow(InvalidArgumentError);
  },
);

test("a whole number at the limit is taken", () => {
  expect(wholeNumber(1)("1")).toBe(1);
  expect(wholeNumber(0)("0")).toBe(0);
});

describe("the progress line", () => {
  const written = (isTTY: boolean): string[] => {
    const texts: string[] = [];
    const line = progressLine({ isTTY, write: (text) => texts.push(text) });
    line.show({ phase: "measure", done: 3, total: 10 });
    line.clear();
    return texts;
  };

  test("overwrites itself on a terminal and goes away", () => {
    expect(written(true)).toEqual(["\r\u001B[2Kmeasuring 3/10", "\r\u001B[2K"]);
  });

  test("says nothing in a pipe", () => {
    expect(written(false)).toEqual([]);
  });
});
