// A report as one HTML file that asks for nothing: styles, scripts and data are in it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { textOfSpan, type Report } from "../section.ts";
import { htmlBody } from "./html.ts";
import { htmlText } from "./html_text.ts";

/** Nothing is loaded, whatever a text of the plan says. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** A report as a whole file. */
export function htmlPage(report: Report): string {
  const { main, nav } = htmlBody(report);
  const hasTimeline = main.includes('class="timeline"');
  return htmlDocument({
    title: titleOf(report),
    nav: `<nav aria-label="sections"><ol>${nav}</ol></nav>`,
    main,
    styles: hasTimeline ? [installed("uplot/dist/uPlot.min.css")] : [],
    scripts: hasTimeline ? [installed("uplot/dist/uPlot.iife.min.js"), own("timeline.js")] : [],
  });
}

export function titleOf({ title = [] }: Report): string {
  return htmlText(title.map(textOfSpan).join(""));
}

interface HtmlDocument {
  /** As HTML. */
  readonly title: string;
  readonly nav: string;
  readonly main: string;
  /** Before the page's own. */
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

export function htmlDocument({ title, nav, main, styles, scripts }: HtmlDocument): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${[...styles, own("style.css")].join("\n")}</style>
</head>
<body>
<a class="skip" href="#main">to the report</a>
<header><h1>${title}</h1></header>
${nav}
<main id="main">
${main}
</main>
${scripts.map((script) => `<script>${script.replaceAll("</script", "<\\/script")}</script>`).join("\n")}
</body>
</html>
`;
}

function own(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");
}

function installed(name: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(name), "utf8");
}
