// The page that runs a plan in its visitor's browser: what it is about, a button, and all that the script needs.

import { readFileSync } from "node:fs";
import { type PageData, pageDataId } from "../../result/page_data.ts";
import type { Report } from "../section.ts";
import { htmlBody } from "./html.ts";
import { htmlDocument, titleOf } from "./html_page.ts";

// The bundled script, from src/report/render, dist/report/render and dist/cli.
const script = new URL("../../../dist/browser/page.js", import.meta.url);

/** @param report what the page says before it has run anything */
export function browserPage(report: Report, data: PageData): string {
  // No text of a plan ends the script that holds it.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return htmlDocument({
    title: titleOf(report),
    nav: "",
    main: `${controls}
<div id="results"></div>
${htmlBody(report).main}
<script type="application/json" id="${pageDataId}">${json}</script>`,
    styles: [],
    scripts: [readFileSync(script, "utf8")],
  });
}

const controls = `<div class="buttons"><button type="button" id="start">Check and time on this device</button></div>
<p id="status" role="status" class="hover">Nothing is sent anywhere; keep the page in front until it is done.</p>
<noscript><p class="bad">The page runs the plan in JavaScript, which is switched off here.</p></noscript>
<p id="save" hidden><a id="file" href="" download="browser-times.json">Save the times</a> for <code id="command"></code></p>`;
