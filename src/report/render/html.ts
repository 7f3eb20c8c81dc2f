// Reports as HTML, charts drawn.

import type { Drawing, Report } from "../section.ts";
import { colorAt } from "./chart_color.ts";
import { chartSvg, legendOf, type Width } from "./chart_svg.ts";
import { bodyHtml } from "./html_blocks.ts";
import { htmlText } from "./html_text.ts";
import { timelineHtml } from "./timeline_html.ts";

/** What a page holds between its header and its end, and the way to each section. */
export function htmlBody(report: Report): { main: string; nav: string } {
  return bodyHtml(report, drawingHtml);
}

function drawingHtml({ title, chart }: Drawing): string {
  const caption = `<figcaption>${htmlText(title)}</figcaption>`;
  if (chart.form === "timeline") return `<figure>${caption}${timelineHtml(chart)}</figure>`;
  const names = legendOf(chart);
  const legend =
    names.length === 0
      ? ""
      : `<ul class="legend">${names
          .map(
            (name, i) =>
              `<li><span class="swatch" style="background:${colorAt(i)}"></span>${htmlText(name)}</li>`,
          )
          .join("")}</ul>`;
  const drawn = (width: Width) => `<div class="${width}">${chartSvg(chart, title, width)}</div>`;
  return `<figure>${caption}${legend}${drawn("wide")}${drawn("narrow")}</figure>`;
}
