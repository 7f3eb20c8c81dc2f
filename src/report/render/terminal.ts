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
  type Span,
  type Table,
} from "../section.ts";
import { paint, type Colours } from "./colour.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { padEnd, wrap, wrapIndented } from "./text_width.ts";

/** Of one level. */
const INDENT = 2;

/** Sections stand apart by an empty line. */
export function terminalLines({ title, intro = [], sections }: Report, colours: Colours): string[] {
  const head = [...titleLines(title, colours), ...blockLines(intro, colours)];
  return apart([head, ...sections.map((section) => sectionLines(section, colours))]);
}

function apart(parts: readonly (readonly string[])[]): string[] {
  return parts
    .filter((part) => part.length > 0)
    .flatMap((part, i) => (i === 0 ? part : ["", ...part]));
}

/** A title with tones of its own is one line. */
function titleLines(title: readonly Span[] | undefined, colours: Colours): string[] {
  if (title === undefined) return [];
  return title.every((span) => typeof span === "string")
    ? wrap(title.join(""), LINE_WIDTH).map(colours.strong)
    : [painted(title, colours)];
}

function sectionLines({ title, blocks, parts = [] }: Section, colours: Colours): string[] {
  const own = apart([
    blockLines(blocks, colours),
    ...parts.map((part) => sectionLines(part, colours)),
  ]);
  return title === undefined || own.length === 0 ? own : [colours.strong(title), ...own];
}

function blockLines(blocks: readonly Block[], colours: Colours): string[] {
  return blocks.flatMap((block) => linesOf(block, colours));
}

function linesOf(block: Block, colours: Colours): readonly string[] {
  switch (block.kind) {
    case "table":
      return tableLines(block, colours);
    case "fields":
      return fieldLines(block, colours);
    case "text":
      return wrapIndented(painted(block.spans, colours), LINE_WIDTH, INDENT * block.level).map(
        (each) => paint(each, block.tone, colours),
      );
    case "list":
      return block.items.flatMap((item, i) =>
        itemLines(item, block.isOrdered ? `${i + 1}.` : "-", 0, colours),
      );
    case "line":
      return [" ".repeat(INDENT * block.level) + painted(block.spans, colours)];
    case "verbatim":
      return block.lines;
    case "gap":
      return [""];
  }
}

function tableLines({ columns, rows, prose }: Table, colours: Colours): string[] {
  const isUnder = prose?.place === "under its row";
  return [
    ...table(
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
      colours,
    ),
    ...(prose === undefined || isUnder
      ? []
      : ["", ...rows.flatMap((row) => proseLines(row, prose, colours))]),
  ];
}

/** One row's sentences under its name. */
function proseLines(row: Row, prose: Prose, colours: Colours): string[] {
  return [
    colours.strong(textOfSpan(row.cells[0] ?? "")),
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

function fieldLines({ rows, width, level }: Fields, colours: Colours): string[] {
  const indent = " ".repeat(INDENT * level);
  return rows.flatMap(({ label, text }) =>
    wrap(text, LINE_WIDTH - indent.length - width).map(
      (each, i) => indent + padEnd(i === 0 ? painted([label], colours) : "", width) + each,
    ),
  );
}

function itemLines(
  { spans, items = [] }: Item,
  mark: string,
  indent: number,
  colours: Colours,
): string[] {
  const inner = indent + mark.length + 1;
  const [first = "", ...rest] = wrapIndented(painted(spans, colours), LINE_WIDTH, inner);
  return [
    `${" ".repeat(indent)}${mark} ${first.slice(inner)}`,
    ...rest,
    ...items.flatMap((item) => itemLines(item, "-", inner, colours)),
  ];
}

function painted(spans: readonly Span[], colours: Colours): string {
  return spans
    .map((span) => (typeof span === "string" ? span : paint(span.text, span.tone, colours)))
    .join("");
}
