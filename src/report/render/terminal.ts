// Reports as lines of a terminal, of at most 80 columns.

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

/** Sections stand apart by an empty line. */
export function terminalLines({ title, intro = [], sections }: Report, colors: Colors): string[] {
  const head = [...titleLines(title, colors), ...blockLines(intro, colors)];
  return apart([head, ...sections.map((section) => sectionLines(section, colors))]);
}

function apart(parts: readonly (readonly string[])[]): string[] {
  return parts
    .filter((part) => part.length > 0)
    .flatMap((part, i) => (i === 0 ? part : ["", ...part]));
}

/** A title with tones of its own is one line. */
function titleLines(title: readonly TonedText[] | undefined, colors: Colors): string[] {
  if (title === undefined) return [];
  return title.every((span) => typeof span === "string")
    ? wrap(title.join(""), LINE_WIDTH).map(colors.strong)
    : [painted(title, colors)];
}

function sectionLines({ title, blocks, parts = [] }: Section, colors: Colors): string[] {
  const own = apart([
    blockLines(blocks, colors),
    ...parts.map((part) => sectionLines(part, colors)),
  ]);
  return title === undefined || own.length === 0 ? own : [colors.strong(title), ...own];
}

function blockLines(blocks: readonly Block[], colors: Colors): string[] {
  return blocks.flatMap((block) => linesOf(block, colors));
}

function linesOf(block: Block, colors: Colors): readonly string[] {
  switch (block.kind) {
    case "table":
      return tableLines(block, colors);
    case "fields":
      return fieldLines(block, colors);
    case "text":
      return wrapIndented(painted(block.spans, colors), LINE_WIDTH, INDENT * block.level).map(
        (each) => paint(each, block.tone, colors),
      );
    case "list":
      return block.items.flatMap((item, i) =>
        itemLines(item, block.isOrdered ? `${i + 1}.` : "-", 0, colors),
      );
    case "line":
      return [" ".repeat(INDENT * block.level) + painted(block.spans, colors)];
    case "verbatim":
      return block.lines;
    case "gap":
      return [""];
    case "drawing":
      return [];
  }
}

function tableLines({ columns, rows, prose }: Table, colors: Colors): string[] {
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
      colors,
    ),
    ...(prose === undefined || isUnder
      ? []
      : ["", ...rows.flatMap((row) => proseLines(row, prose, colors))]),
  ];
}

/** One row's sentences under its name. */
function proseLines(row: Row, prose: Prose, colors: Colors): string[] {
  return [
    colors.strong(textOfSpan(row.cells[0] ?? "")),
    ...sentencesOf(row, prose).flatMap(({ text, level }) =>
      wrapIndented(text, LINE_WIDTH, INDENT * level),
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

function fieldLines({ rows, width, level }: Fields, colors: Colors): string[] {
  const indent = " ".repeat(INDENT * level);
  return rows.flatMap(({ label, text }) =>
    wrap(text, LINE_WIDTH - indent.length - width).map(
      (each, i) => indent + padEnd(i === 0 ? painted([label], colors) : "", width) + each,
    ),
  );
}

function itemLines(
  { spans, items = [] }: Item,
  mark: string,
  indent: number,
  colors: Colors,
): string[] {
  const inner = indent + mark.length + 1;
  const [first = "", ...rest] = wrapIndented(painted(spans, colors), LINE_WIDTH, inner);
  return [
    `${" ".repeat(indent)}${mark} ${first.slice(inner)}`,
    ...rest,
    ...items.flatMap((item) => itemLines(item, "-", inner, colors)),
  ];
}

function painted(spans: readonly TonedText[], colors: Colors): string {
  return spans
    .map((span) => (typeof span === "string" ? span : paint(span.text, span.tone, colors)))
    .join("");
}
