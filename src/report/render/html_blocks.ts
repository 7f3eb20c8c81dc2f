// Sections as HTML: headings, tables with headers, and what draws is given. Every text is inert.

import {
  type Block,
  type Drawing,
  type Fields,
  type Item,
  type Report,
  type Row,
  type Section,
  type Table,
  textOfSpan,
  type TonedText,
} from "../section.ts";
import { htmlText } from "./html_text.ts";

/** A drawing as HTML. */
export type Draw = (drawing: Drawing) => string;

/**
 * What a page holds between its header and its end, and the way to each section.
 *
 * @param idPrefix of the ids of sections: several bodies may stand in one page
 */
export function bodyHtml(
  { intro = [], sections }: Pick<Report, "intro" | "sections">,
  draw: Draw,
  idPrefix = "section",
): { main: string; nav: string } {
  const block = (each: Block): string => blockHtml(each, draw);
  const shown = sections.filter(isShown);
  const ids = shown.map((_, i) => `${idPrefix}-${i + 1}`);
  return {
    main: [
      ...intro.map(block),
      ...shown.map((section, i) => sectionHtml(section, 2, ids[i] ?? "", block)),
    ].join("\n"),
    nav: shown
      .flatMap(({ title }, i) =>
        title === undefined ? [] : [`<li><a href="#${ids[i]}">${htmlText(title)}</a></li>`],
      )
      .join(""),
  };
}

function isShown({ blocks, parts = [] }: Section): boolean {
  return blocks.length > 0 || parts.some(isShown);
}

function sectionHtml(
  { title, blocks, parts = [] }: Section,
  level: number,
  id: string,
  block: (each: Block) => string,
): string {
  const inner = [
    ...blocks.map(block),
    ...parts
      .filter(isShown)
      .map((part, i) => sectionHtml(part, level + 1, `${id}-${i + 1}`, block)),
  ].join("\n");
  if (title === undefined) return `<section>${inner}</section>`;
  const heading = `<h${level} id="${id}-title">${htmlText(title)}</h${level}>`;
  return `<section id="${id}" aria-labelledby="${id}-title">${heading}${inner}</section>`;
}

function blockHtml(block: Block, draw: Draw): string {
  switch (block.kind) {
    case "table":
      return tableHtml(block);
    case "fields":
      return fieldsHtml(block);
    case "list":
      return listHtml(block.items, block.isOrdered);
    case "text":
      return `<p class="${block.tone} level-${block.level}">${spansHtml(block.spans)}</p>`;
    case "line":
      return `<p class="level-${block.level}">${spansHtml(block.spans)}</p>`;
    case "verbatim":
      return `<pre tabindex="0">${block.lines.map(htmlText).join("\n")}</pre>`;
    case "gap":
      return "";
    case "drawing":
      return draw(block);
  }
}

function spansHtml(spans: readonly TonedText[]): string {
  return spans.map(spanHtml).join("");
}

function spanHtml(span: TonedText): string {
  if (typeof span === "string") return htmlText(span);
  const text = htmlText(span.text);
  if (span.tone === "plain") return text;
  if (span.tone === "code") return `<code>${text}</code>`;
  if (span.tone === "strong") return `<strong>${text}</strong>`;
  return `<span class="${span.tone}">${text}</span>`;
}

/** Sentences of a row span the whole of a line below it. */
function tableHtml({ columns, rows, prose }: Table): string {
  const head = columns
    .map(({ title, align }) =>
      title === "" ? "<td></td>" : `<th scope="col"${sideOf(align)}>${htmlText(title)}</th>`,
    )
    .join("");
  const body = rows.map((row) => {
    const cells = columns
      .map(({ align }, i) => `<td${sideOf(align)}>${spanHtml(row.cells[i] ?? "")}</td>`)
      .join("");
    const sentences = prose === undefined ? [] : sentencesOf(row, prose.columns);
    const below =
      sentences.length === 0
        ? ""
        : `<tr class="prose"><td colspan="${columns.length}">${sentences
            .map((sentence) => `<p>${htmlText(sentence)}</p>`)
            .join("")}</td></tr>`;
    return `<tr>${cells}</tr>${below}`;
  });
  return `<div class="scroll" role="group" tabindex="0" aria-label="table"><table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

function sideOf(align: "left" | "right" | undefined): string {
  return align === "left" ? "" : ' class="number"';
}

function sentencesOf(
  { prose = [] }: Row,
  columns: readonly { readonly lead?: string }[],
): readonly string[] {
  return columns.flatMap(({ lead }, i) =>
    (prose[i] ?? []).map((sentence) => (lead === undefined ? sentence : `${lead} ${sentence}`)),
  );
}

function fieldsHtml({ rows }: Fields): string {
  const items = rows.flatMap(({ label, text }) => {
    if (text === "") return [];
    const term = textOfSpan(label) === "" ? "" : `<dt>${spanHtml(label)}</dt>`;
    return [`${term}<dd>${htmlText(text)}</dd>`];
  });
  return `<dl>${items.join("")}</dl>`;
}

function listHtml(items: readonly Item[], isOrdered: boolean): string {
  const tag = isOrdered ? "ol" : "ul";
  const inner = items.map(({ spans, items: more = [] }) => {
    const below = more.length === 0 ? "" : listHtml(more, false);
    return `<li>${spansHtml(spans)}${below}</li>`;
  });
  return `<${tag}>${inner.join("")}</${tag}>`;
}
