// Reports as lines of Markdown. What a plan or a file says is made inert before (`inert.ts`).

import {
  textOfSpan,
  type Block,
  type Fields,
  type Report,
  type Row,
  type Section,
  type Span,
  type Table,
  type Text,
} from "../section.ts";

export function markdownLines({ title, intro = [], sections }: Report): string[] {
  return [
    ...(title === undefined ? [] : [`# ${textOf(title)}`, ""]),
    ...intro.flatMap(blockLines),
    ...sections.flatMap((section) => sectionLines(section, 2)),
  ];
}

/** Ends in an empty line. @param level of the heading, 1 is the title's */
export function sectionLines({ title, blocks }: Section, level: number): string[] {
  if (blocks.length === 0) return [];
  return [
    ...(title === undefined ? [] : [`${"#".repeat(level)} ${title}`, ""]),
    ...blocks.flatMap(blockLines),
  ];
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case "table":
      return [...tableLines(block), ""];
    case "fields":
      return [...fieldLines(block), ""];
    case "text":
      return [textLine(block), ""];
    case "line":
      return [textOf(block.spans), ""];
    case "verbatim":
      return ["```", ...block.lines, "```", ""];
    case "gap":
      return [];
  }
}

/** Prose has columns of its own. */
function tableLines({ columns, rows, prose }: Table): string[] {
  const proseColumns = prose?.columns ?? [];
  const line = (cells: readonly string[]): string =>
    `|${cells.map((each) => (each === "" ? " " : ` ${each} `)).join("|")}|`;
  return [
    line([...columns, ...proseColumns].map(({ title }) => cell(title))),
    `|${[...columns, ...proseColumns.map(() => ({ align: "left" }))]
      .map(({ align }) => (align === "left" ? "---|" : "---:|"))
      .join("")}`,
    ...rows.map((row) =>
      line([
        ...columns.map((_, i) => cell(textOfSpan(row.cells[i] ?? ""))),
        ...proseColumns.map((_, i) => proseCell(row, i)),
      ]),
    ),
  ];
}

function proseCell({ prose = [] }: Row, column: number): string {
  return cell((prose[column] ?? []).join("; ")) || "–";
}

/** A bar would end it. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function fieldLines({ rows }: Fields): string[] {
  return rows.flatMap(({ label, text }) => {
    if (text === "") return [];
    const name = textOfSpan(label);
    return [name === "" ? `  ${text}` : `- **${name}**: ${text}`];
  });
}

function textLine({ text, level, tone }: Text): string {
  const said = tone === "strong" ? `**${text}**` : text;
  return level === 2 ? `- ${said}` : said;
}

function textOf(spans: readonly Span[]): string {
  return spans.map(textOfSpan).join("");
}
