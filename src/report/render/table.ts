// Plain-text tables that fit a terminal, of 80 columns unless it is wider.

import { textOfSpan, type Column, type TonedText } from "../section.ts";
import { paint, plain, type Colors } from "./color.ts";
import { padEnd, padStart, shortened, widthOf, wrapIndented } from "./text_width.ts";

export const LINE_WIDTH = 80;
/** Of sentences under a row. */
const mostNoteWidth = 100;

export interface RenderedRow {
  readonly cells: readonly TonedText[];
  /** Folded under the row, indented; its lines each by itself. */
  readonly note?: string;
}

/**
 * Lines without trailing spaces. Columns are as wide as their widest cell; where that is too wide for the
 * line, the widest left-aligned column is cut with an ellipsis.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly RenderedRow[],
  colors: Colors = plain,
  lineWidth = LINE_WIDTH,
): string[] {
  const gap = 2;
  const natural = columns.map(({ title }, i) =>
    Math.max(widthOf(title), ...rows.map(({ cells }) => widthOf(textOfSpan(cells[i] ?? "")))),
  );
  const widths = fitted(columns, natural, lineWidth - gap * (columns.length - 1));
  const lineOf = (cells: readonly TonedText[]): string =>
    columns
      .map(({ align }, i) => {
        const width = widths[i] ?? 0;
        const span = cells[i] ?? "";
        const text = shortened(textOfSpan(span), width);
        const cell = typeof span === "string" ? text : paint(text, span.tone, colors);
        return align === "left" ? padEnd(cell, width) : padStart(cell, width);
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [
    colors.faint(lineOf(columns.map(({ title }) => title))),
    ...rows.flatMap(({ cells, note }) => [
      lineOf(cells),
      ...(note === undefined
        ? []
        : note
            .split("\n")
            .flatMap((part) =>
              wrapIndented(part, Math.min(lineWidth, mostNoteWidth), 4).map(colors.faint),
            )),
    ]),
  ];
}

/** Takes what is too much from the widest left-aligned column. */
function fitted(
  columns: readonly Column[],
  natural: readonly number[],
  available: number,
): number[] {
  const widths = [...natural];
  const excess = widths.reduce((sum, width) => sum + width, 0) - available;
  if (excess <= 0) return widths;
  let widest = -1;
  for (const [i, { align }] of columns.entries()) {
    if (align === "left" && (widths[i] ?? 0) > (widths[widest] ?? 0)) widest = i;
  }
  if (widest >= 0) widths[widest] = Math.max(8, (widths[widest] ?? 0) - excess);
  return widths;
}
