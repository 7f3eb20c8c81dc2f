// A report as a page: every block, nothing from elsewhere, and texts that are nothing but texts.

import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { htmlBody } from "../../src/report/render/html.ts";
import { htmlPage } from "../../src/report/render/html_page.ts";
import {
  code,
  drawing,
  fields,
  gap,
  left,
  line,
  list,
  note,
  right,
  strong,
  table,
  verbatim,
} from "../../src/report/section.ts";
import { pageOf, reportOf, reportOfText } from "../support/page.ts";

const evil = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&\u202E`;

test("every block has its element", () => {
  const { main } = htmlBody({
    sections: [
      {
        title: "All",
        blocks: [
          table(
            [...left("claim"), ...right("found")],
            [
              {
                cells: ["speed", { text: "refuted", tone: "bad" }],
                prose: [["too <slow>"], ["x ≥ 1"]],
              },
            ],
            {
              columns: [{ title: "why" }, { title: "needs", lead: "needs" }],
              place: "under its row",
            },
          ),
          note("measured"),
          gap,
          fields(
            [
              ["step", "1 ms"],
              ["", "or more"],
              ["left out", ""],
            ],
            6,
          ),
          line([strong("sum"), " ", code("a<b")]),
          list([{ spans: ["one"], items: [{ spans: ["deeper"] }] }], true),
          verbatim(["┌ <b>"]),
          drawing("bars", {
            form: "bars",
            unit: "B",
            names: ["a"],
            rows: [{ label: "r", parts: [{ name: "a", value: 2 }] }],
          }),
        ],
      },
      { title: "Empty", blocks: [] },
    ],
  });
  expect(main).not.toContain("Empty");
  for (const part of [
    '<h2 id="section-1-title">All</h2>',
    '<th scope="col">claim</th><th scope="col" class="number">found</th>',
    '<td class="number"><span class="bad">refuted</span></td>',
    '<tr class="prose"><td colspan="2"><p>too &lt;slow&gt;</p><p>needs x ≥ 1</p></td></tr>',
    '<p class="faint level-1">measured</p>',
    "<dl><dt>step</dt><dd>1 ms</dd><dd>or more</dd></dl>",
    "<strong>sum</strong> <code>a&lt;b</code>",
    "<ol><li>one<ul><li>deeper</li></ul></li></ol>",
    '<pre tabindex="0">┌ &lt;b&gt;</pre>',
    'role="img"',
  ]) {
    expect(main).toContain(part);
  }
});

describe("a run's page", () => {
  test("has every section, and the step's slices", async () => {
    const { document } = parseHTML(await pageOf("smoke/moe-ep2.yaml"));
    const titles = [...document.querySelectorAll("h2")].map((heading) => heading.textContent);
    expect(titles).toEqual([
      "Outcome",
      "Claims",
      "Who does what",
      "Timeline of one step",
      "Utilization",
      "Time per rank",
      "Roofline",
      "Collectives",
      "Memory",
      "Tokens per expert",
      "Samples and runs",
      "Check",
      "Diagnostics",
      "Conditions",
      "To repeat it",
    ]);
    const data = JSON.parse(document.querySelector(".timeline script")?.textContent ?? "");
    expect(data.lanes.length).toBe(data.slices.length);
    expect(data.slices.flat().length).toBeGreaterThan(100);
    expect(document.querySelectorAll("nav a").length).toBe(titles.length);
    expect(document.querySelectorAll("figure svg").length).toBeGreaterThan(8);
  });

  test.each(["moe-ep3-tp2.json", "three-stage-pipeline.json"])(
    "of %s has less than 3 MB, and refers to nothing",
    async (file) => {
      const page = await pageOf(file);
      expect(page.length).toBeLessThan(3e6);
      const { document } = parseHTML(page);
      expect(document.querySelectorAll("[src], link, iframe, object, form, base").length).toBe(0);
      for (const link of document.querySelectorAll("[href]")) {
        const target = link.getAttribute("href") ?? "";
        expect(target).toMatch(/^#/);
        expect(document.getElementById(target.slice(1))).not.toBeNull();
      }
    },
  );

  test("has names as text, wherever they stand", () => {
    const plan = {
      name: evil,
      hardware: { gpus: 2 },
      workload: { batch: 4 },
      stages: [
        {
          name: `a ${evil}`,
          layers: [{ op: "linear", in: 8, out: 8, parallel: { kind: "column", gpus: [0, 1] } }],
        },
        {
          name: `b ${evil}`,
          layers: [{ op: "linear", in: 8, out: 8, parallel: { kind: "row", gpus: [0, 1] } }],
        },
      ],
    };
    const page = htmlPage(reportOfText(JSON.stringify(plan)));
    const { document } = parseHTML(page);
    expect(document.querySelectorAll("img, [onerror]").length).toBe(0);
    // The data of the timeline, the library and our own script.
    expect(document.querySelectorAll("script").length).toBe(3);
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain("\u202E");
    expect(document.querySelector("h1")?.textContent).toContain("</script><script>alert(1)");
  });
});

test("control: a page without a kept step has no script", async () => {
  const report = await reportOf("three-stage-pipeline.json");
  const sections = report.sections.filter(({ title }) => title !== "Timeline of one step");
  expect(sections.length).toBe(report.sections.length - 1);
  expect(htmlPage({ ...report, sections })).not.toContain("<script");
});
