// Reports as lines of a terminal: of 80 columns, or wider where that is.

import {
  textOfSpan,
  type Block,
  type Fields,
  type Item,
  type Prose,
  type Report,
  type Row,
  type Section,
  type TonedText,
  type Table,
} from "../section.ts";
import { paint, type Colors } from "./color.ts";
import { LINE_WIDTH, renderTable } from "./table.ts";
import { padEnd, wrap, wrapIndented } from "./text_width.ts";

/** Of one level. */
const INDENT = 2;

/** What is written on. */
interface Screen {
  readonly colors: Colors;
  /** Columns, for tables. */
  readonly width: number;
  /** Columns, for sentences: longer lines are hard to read. */
  readonly textWidth: number;
}

const mostTextWidth = 100;

/** Sections stand apart by an empty line. */
export function terminalLines(
  { title, intro = [], sections }: Report,
  colors: Colors,
  width = LINE_WIDTH,
): string[] {
  const screen = { colors, width, textWidth: Math.min(width, mostTextWidth) };
  const head = [...titleLines(title, screen), ...blockLines(intro, screen)];
  return apart([head, ...sections.map((section) => sectionLines(section, screen))]);
}

function apart(parts: readonly (readonly string[])[]): string[] {
  return parts
    .filter((part) => part.length > 0)
    .flatMap((part, i) => (i === 0 ? part : ["", ...part]));
}

/** A title with tones of its own is one line. */
function titleLines(title: readonly TonedText[] | undefined, screen: Screen): string[] {
  if (title === undefined) return [];
  return title.every((span) => typeof span === "string")
    ? wrap(title.join(""), screen.textWidth).map(screen.colors.strong)
    : [painted(title, screen)];
}

function sectionLines({ title, blocks, parts = [] }: Section, screen: Screen): string[] {
  const own = apart([
    blockLines(blocks, screen),
    ...parts.map((part) => sectionLines(part, screen)),
  ]);
  return title === undefined || own.length === 0 ? own : [screen.colors.strong(title), ...own];
}

function blockLines(blocks: readonly Block[], screen: Screen): string[] {
  return blocks.flatMap((block) => linesOf(block, screen));
}

function linesOf(block: Block, screen: Screen): readonly string[] {
  switch (block.kind) {
    case "table":
      return tableLines(block, screen);
    case "fields":
      return fieldLines(block, screen);
    case "text":
      return wrapIndented(painted(block.spans, screen), screen.textWidth, INDENT * block.level).map(
        (each) => paint(each, block.tone, screen.colors),
      );
    case "list":
      return block.items.flatMap((item, i) =>
        itemLines(item, block.isOrdered ? `${i + 1}.` : "-", 0, screen),
      );
    case "line":
      return [" ".repeat(INDENT * block.level) + painted(block.spans, screen)];
    case "verbatim":
      return block.lines;
    case "gap":
      return [""];
    case "drawing":
      return [];
  }
}

function tableLines({ columns, rows, prose }: Table, screen: Screen): string[] {
  const isUnder = prose?.place === "under its row";
  return [
    ...renderTable(
      columns,
      rows.map((row) => ({
        cells: row.cells,
        ...(isUnder
          ? {
              note: sentencesOf(row, prose)
                .map(({ text }) => text)
                .join("\n"),
            }
          : {}),
      })),
      screen.colors,
      screen.width,
    ),
    ...(prose === undefined || isUnder
      ? []
      : ["", ...rows.flatMap((row) => proseLines(row, prose, screen))]),
  ];
}

/** One row's sentences under its name. */
function proseLines(row: Row, prose: Prose, screen: Screen): string[] {
  return [
    screen.colors.strong(textOfSpan(row.cells[0] ?? "")),
    ...sentencesOf(row, prose).flatMap(({ text, level }) =>
      wrapIndented(text, screen.textWidth, INDENT * level),
    ),
    "",
  ];
}

function sentencesOf(
  { prose: sentences = [] }: Row,
  { columns }: Prose,
): { readonly text: string; readonly level: 1 | 2 }[] {
  return columns.flatMap(({ lead }, i) =>
    (sentences[i] ?? []).map((sentence) =>
      lead === undefined
        ? { text: sentence, level: 1 as const }
        : { text: `${lead} ${sentence}`, level: 2 as const },
    ),
  );
}

function fieldLines({ rows, width, level }: Fields, screen: Screen): string[] {
  const indent = " ".repeat(INDENT * level);
  return rows.flatMap(({ label, text }) =>
    wrap(text, screen.textWidth - indent.length - width).map(
      (each, i) => indent + padEnd(i === 0 ? painted([label], screen) : "", width) + each,
    ),
  );
}

function itemLines(
  { spans, items = [] }: Item,
  mark: string,
  indent: number,
  screen: Screen,
): string[] {
  const inner = indent + mark.length + 1;
  const [first = "", ...rest] = wrapIndented(painted(spans, screen), screen.textWidth, inner);
  return [
    `${" ".repeat(indent)}${mark} ${first.slice(inner)}`,
    ...rest,
    ...items.flatMap((item) => itemLines(item, "-", inner, screen)),
  ];
}

function painted(spans: readonly TonedText[], screen: Screen): string {
  return spans
    .map((span) => (typeof span === "string" ? span : paint(span.text, span.tone, screen.colors)))
    .join("");
}
