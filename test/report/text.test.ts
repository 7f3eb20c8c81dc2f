import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { colorsFor, plain } from "../../src/report/render/color.ts";
import { renderTable } from "../../src/report/render/table.ts";
import { widthOf, wrap } from "../../src/report/render/text_width.ts";

const escape = "\u001B[";

function isColored(
  stream: { isTTY?: boolean },
  env: Readonly<Record<string, string>> = {},
): boolean {
  return colorsFor(stream, env).bad("x").includes(escape);
}

describe("color", () => {
  const terminal = { isTTY: true };
  test("control: a terminal gets color", () => {
    expect(isColored(terminal)).toBe(true);
  });

  test("a pipe gets none", () => {
    expect(isColored({})).toBe(false);
  });

  test("NO_COLOR takes it from a terminal, even against FORCE_COLOR", () => {
    expect(isColored(terminal, { NO_COLOR: "1" })).toBe(false);
    expect(isColored(terminal, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false);
  });

  test("an empty NO_COLOR means nothing", () => {
    expect(isColored(terminal, { NO_COLOR: "" })).toBe(true);
  });

  test("FORCE_COLOR gives it to a pipe, FORCE_COLOR=0 takes it", () => {
    expect(isColored({}, { FORCE_COLOR: "1" })).toBe(true);
    expect(isColored(terminal, { FORCE_COLOR: "0" })).toBe(false);
  });

  test("a dumb terminal gets none", () => {
    expect(isColored(terminal, { TERM: "dumb" })).toBe(false);
  });
});

describe("width", () => {
  test("wide characters take two columns, combining marks and colors none", () => {
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

describe("tables", () => {
  const columns = [{ title: "name", align: "left" }, { title: "value" }] as const;

  test("names are aligned left, numbers right, and no line ends in spaces", () => {
    const rows = [{ cells: ["long name", "1"] }, { cells: ["日本", "1,000"] }];
    expect(renderTable(columns, rows)).toEqual([
      "name       value",
      "long name      1",
      "日本       1,000",
    ]);
  });

  test("a note is folded under its row, indented, within 80 columns", () => {
    const lines = renderTable(columns, [{ cells: ["a", "1"], note: "word ".repeat(40) }]);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines[2]).toMatch(/^ {4}word/);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
  });

  test("a name too long for the line is cut with an ellipsis, numbers never are", () => {
    const lines = renderTable(columns, [{ cells: ["n".repeat(100), "123,456"] }]);
    expect(lines[1]).toMatch(/^n+… {2}123,456$/);
    expect(widthOf(lines[1] ?? "")).toBe(80);
  });

  test("color does not move a column", () => {
    const colors = { ...plain, bad: (text: string) => `${escape}31m${text}${escape}39m` };
    const [, plainRow] = renderTable(columns, [{ cells: ["refuted", "1"] }]);
    const [, colored] = renderTable(columns, [{ cells: [colors.bad("refuted"), "1"] }]);
    expect(widthOf(colored ?? "")).toBe(widthOf(plainRow ?? ""));
  });
});
