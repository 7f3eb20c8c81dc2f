import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coloursFor, plain } from "../../src/report/colour.ts";
import { formatBytes, formatNumber, formatPercent, formatValue } from "../../src/report/format.ts";
import { thousands } from "../../src/plan/thousands.ts";
import { table } from "../../src/report/table.ts";
import { widthOf, wrap } from "../../src/report/text_width.ts";

const escape = "\u001B[";

const isColoured = (
  stream: { isTTY?: boolean },
  env: Readonly<Record<string, string>> = {},
): boolean => coloursFor(stream, env).bad("x").includes(escape);

describe("colour", () => {
  const terminal = { isTTY: true };
  test("control: a terminal gets colour", () => {
    expect(isColoured(terminal)).toBe(true);
  });

  test("a pipe gets none", () => {
    expect(isColoured({})).toBe(false);
  });

  test("NO_COLOR takes it from a terminal, even against FORCE_COLOR", () => {
    expect(isColoured(terminal, { NO_COLOR: "1" })).toBe(false);
    expect(isColoured(terminal, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false);
  });

  test("an empty NO_COLOR means nothing", () => {
    expect(isColoured(terminal, { NO_COLOR: "" })).toBe(true);
  });

  test("FORCE_COLOR gives it to a pipe, FORCE_COLOR=0 takes it", () => {
    expect(isColoured({}, { FORCE_COLOR: "1" })).toBe(true);
    expect(isColoured(terminal, { FORCE_COLOR: "0" })).toBe(false);
  });

  test("a dumb terminal gets none", () => {
    expect(isColoured(terminal, { TERM: "dumb" })).toBe(false);
  });
});

describe("width", () => {
  test("wide characters take two columns, combining marks and colours none", () => {
    expect(widthOf("abc")).toBe(3);
    expect(widthOf("日本")).toBe(4);
    expect(widthOf("e\u0301")).toBe(1);
    expect(widthOf("👩‍🚀")).toBe(2);
    expect(widthOf(`${escape}31mred${escape}39m`)).toBe(3);
    expect(widthOf("1…2 × T₁")).toBe(8);
  });

  test("text that is counted without looking at graphemes takes a column per character", () => {
    const codes = fc.oneof(
      ...[
        [0x20, 0x7e],
        [0xa1, 0xac],
        [0xae, 0x2ff],
        [0x2010, 0x2027],
        [0x2030, 0x203b],
        [0x2070, 0x209c],
        [0x2190, 0x22ff],
        [0x2500, 0x259f],
      ].map(([min = 0, max = 0]) => fc.integer({ min, max })),
    );
    const unit = codes.map((code) => String.fromCodePoint(code));
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        expect(widthOf(text)).toBe(text.length);
        // A wide character makes the whole text be looked at.
        expect(widthOf(`日${text}`)).toBe(2 + text.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("text folds at spaces and never exceeds the width", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
  });

  test("a word longer than the line is cut", () => {
    expect(wrap("a abcdefghij", 4)).toEqual(["a", "abcd", "efgh", "ij"]);
  });
});

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

describe("tables", () => {
  const columns = [{ title: "name", align: "left" }, { title: "value" }] as const;

  test("names are aligned left, numbers right, and no line ends in spaces", () => {
    const rows = [{ cells: ["long name", "1"] }, { cells: ["日本", "1,000"] }];
    expect(table(columns, rows)).toEqual([
      "name       value",
      "long name      1",
      "日本       1,000",
    ]);
  });

  test("a note is folded under its row, indented, within 80 columns", () => {
    const lines = table(columns, [{ cells: ["a", "1"], note: "word ".repeat(40) }]);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines[2]).toMatch(/^ {4}word/);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
  });

  test("a name too long for the line is cut with an ellipsis, numbers never are", () => {
    const lines = table(columns, [{ cells: ["n".repeat(100), "123,456"] }]);
    expect(lines[1]).toMatch(/^n+… {2}123,456$/);
    expect(widthOf(lines[1] ?? "")).toBe(80);
  });

  test("colour does not move a column", () => {
    const colours = { ...plain, bad: (text: string) => `${escape}31m${text}${escape}39m` };
    const [, plainRow] = table(columns, [{ cells: ["refuted", "1"] }]);
    const [, coloured] = table(columns, [{ cells: [colours.bad("refuted"), "1"] }]);
    expect(widthOf(coloured ?? "")).toBe(widthOf(plainRow ?? ""));
  });
});
