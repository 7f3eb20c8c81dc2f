// Reports as lines of Markdown, in which texts are texts: whatever would be markup in them is made inert.

import {
  textOfSpan,
  type Block,
  type Fields,
  type Item,
  type List,
  type Report,
  type Row,
  type Section,
  type TonedText,
  type Table,
  type Text,
  type Verbatim,
} from "../section.ts";
import { inert, inertMarkdown } from "./inert.ts";

/** @returns no empty line at the end */
export function markdownLines({ title, intro = [], sections }: Report): string[] {
  const lines = [
    ...(title === undefined ? [] : [`# ${plainText(title)}`, ""]),
    ...intro.flatMap(blockLines),
    ...sections.flatMap((section) => sectionLines(section, 2)),
  ];
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** Ends in an empty line, if there are any. @param level of the heading, 1 is the title's */
function sectionLines({ title, blocks, parts = [] }: Section, level: number): string[] {
  const own = [
    ...blocks.flatMap(blockLines),
    ...parts.flatMap((part) => sectionLines(part, level + 1)),
  ];
  return title === undefined || own.length === 0
    ? own
    : [`${"#".repeat(level)} ${inertMarkdown(title)}`, "", ...own];
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case "table":
      return [...tableLines(block), ""];
    case "fields":
      return [...fieldLines(block), ""];
    case "list":
      return [...listLines(block), ""];
    case "text":
      return [textLine(block), ""];
    case "line":
      return [plainText(block.spans), ""];
    case "verbatim":
      return [...fenced(block), ""];
    case "gap":
    case "drawing":
      return [];
  }
}

/** Prose has columns of its own. */
function tableLines({ columns, rows, prose }: Table): string[] {
  const proseColumns = prose?.columns ?? [];
  const line = (cells: readonly string[]): string =>
    `|${cells.map((each) => (each === "" ? " " : ` ${each} `)).join("|")}|`;
  return [
    line([...columns, ...proseColumns].map(({ title }) => inertMarkdown(title))),
    `|${[...columns, ...proseColumns.map(() => ({ align: "left" }))]
      .map(({ align }) => (align === "left" ? "---|" : "---:|"))
      .join("")}`,
    ...rows.map((row) =>
      line([
        ...columns.map((_, i) => plainText([row.cells[i] ?? ""])),
        ...proseColumns.map((_, i) => proseCell(row, i)),
      ]),
    ),
  ];
}

function proseCell({ prose = [] }: Row, column: number): string {
  return inertMarkdown((prose[column] ?? []).join("; ")) || "–";
}

function fieldLines({ rows }: Fields): string[] {
  return rows.flatMap(({ label, text }) => {
    if (text === "") return [];
    const name = plainText([label]);
    return [name === "" ? `  ${inertMarkdown(text)}` : `- **${name}**: ${inertMarkdown(text)}`];
  });
}

function listLines({ items, isOrdered }: List): string[] {
  return items.flatMap((item, i) => itemLines(item, isOrdered ? `${i + 1}.` : "-", 0));
}

function itemLines({ spans, items = [] }: Item, mark: string, indent: number): string[] {
  return [
    `${" ".repeat(indent)}${mark} ${markedUp(spans)}`,
    ...items.flatMap((item) => itemLines(item, "-", indent + mark.length + 1)),
  ];
}

function textLine({ spans, level, tone }: Text): string {
  const said = tone === "strong" ? `**${plainText(spans)}**` : markedUp(spans);
  return level === 2 ? `- ${said}` : said;
}

/** The fence is longer than any in it. */
function fenced({ lines, language }: Verbatim): string[] {
  const longest = Math.max(2, ...lines.map((each) => /`{3,}/.exec(each)?.[0].length ?? 0));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language ?? ""}`, ...lines.map(inert), fence];
}

function markedUp(spans: readonly TonedText[]): string {
  return spans
    .map((span) => {
      if (typeof span === "string") return inertMarkdown(span);
      if (span.tone === "code") return `\`${inert(span.text).replaceAll("`", "'")}\``;
      const text = inertMarkdown(span.text);
      if (span.tone === "strong") return `**${text}**`;
      return span.tone === "faint" ? `*${text}*` : text;
    })
    .join("");
}

function plainText(spans: readonly TonedText[]): string {
  return inertMarkdown(spans.map(textOfSpan).join(""));
}
