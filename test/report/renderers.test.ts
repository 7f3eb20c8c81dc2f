// One report in every format.

import { describe, expect, test } from "vitest";
import { colorsFor, plain } from "../../src/report/render/color.ts";
import { markdownLines } from "../../src/report/render/markdown.ts";
import { terminalLines } from "../../src/report/render/terminal.ts";
import { runReport } from "../../src/report/run_report.ts";
import {
  code,
  detail,
  faint,
  fields,
  gap,
  left,
  line,
  list,
  note,
  paragraph,
  right,
  strong,
  table,
  verbatim,
  type Prose,
  type Report,
} from "../../src/report/section.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";
import { shown } from "../support/shown.ts";

function prose(place: Prose["place"]): Prose {
  return {
    columns: [{ title: "why" }, { title: "what it needs", lead: "needs" }],
    place,
  };
}

function report(place: Prose["place"] = "under its row"): Report {
  return {
    title: ["a plan"],
    intro: [paragraph("of today", "faint")],
    sections: [
      { title: "Empty", blocks: [] },
      {
        title: "Claims",
        blocks: [
          table(
            [...left("claim"), ...right("found"), ...left("")],
            [
              {
                cells: ["speed", "1 ms", { text: "refuted", tone: "bad" }],
                prose: [["too a|b slow"], ["x ≥ 1", "y ≤ 2"]],
              },
              { cells: ["memory", "", ""], prose: [["it fits"]] },
            ],
            prose(place),
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
        ],
      },
      {
        blocks: [
          line(["sum ", { text: "OK", tone: "good" }]),
          detail("of two"),
          { kind: "verbatim", lines: ["┌  ┐"] },
        ],
      },
      {
        title: "Findings",
        blocks: [],
        parts: [
          { title: "None", blocks: [] },
          {
            title: "Some",
            blocks: [
              list(
                [
                  {
                    spans: [
                      strong("Load"),
                      ": uneven [",
                      code("gpu-underused"),
                      "] ",
                      faint("(so)"),
                    ],
                    items: [{ spans: ["<b> of `all`"], items: [{ spans: ["deeper"] }] }],
                  },
                  { spans: ["last"] },
                ],
                true,
              ),
            ],
          },
        ],
      },
    ],
  };
}

describe("a terminal", () => {
  test("has sections apart, notes indented, sentences under their rows, nothing of what is empty", () => {
    expect(shown(report())).toEqual([
      "a plan",
      "of today",
      "",
      "Claims",
      "claim   found",
      "speed    1 ms  refuted",
      "    too a|b slow",
      "    needs x ≥ 1",
      "    needs y ≤ 2",
      "memory",
      "    it fits",
      "  measured",
      "",
      "  step  1 ms",
      "        or more",
      "",
      "sum OK",
      "    of two",
      "┌  ┐",
      "",
      "Findings",
      "Some",
      "1. Load: uneven [gpu-underused] (so)",
      "   - <b> of `all`",
      "     - deeper",
      "2. last",
    ]);
  });

  test("has long sentences below the table, each under the name of its row", () => {
    const lines = shown(report("below the table"));
    expect(lines.slice(4, 15)).toEqual([
      "claim   found",
      "speed    1 ms  refuted",
      "memory",
      "",
      "speed",
      "  too a|b slow",
      "    needs x ≥ 1",
      "    needs y ≤ 2",
      "",
      "memory",
      "  it fits",
    ]);
  });

  test("cuts no cell that a wider terminal has room for, and folds sentences before they are hard to read", () => {
    const name =
      "a name that is longer than a terminal of eighty columns has room for beside the rest";
    const cells = [name, "1 ms"];
    const wide: Report = {
      sections: [
        {
          blocks: [table([...left("of"), ...right("took")], [{ cells }]), note("word ".repeat(60))],
        },
      ],
    };
    const at = (width?: number): string[] => terminalLines(wide, plain, width);
    expect(at()[1]).toContain("…");
    expect(Math.max(...at().map(({ length }) => length))).toBe(80);
    expect(at(120)[1]).toBe(`${name}  1 ms`);
    expect(Math.max(...at(160).map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test("colors what has a tone, and moves no column by it", () => {
    const lines = terminalLines(report(), colorsFor({ isTTY: true }, {}));
    expect(lines).toContain("speed    1 ms  \u001B[31mrefuted\u001B[39m");
    expect(lines).toContain("sum \u001B[32mOK\u001B[39m");
  });
});

describe("Markdown", () => {
  test.each(["under its row", "below the table"] as const)(
    "has the same, with sentences %s in cells of their own",
    (place) => {
      expect(markdownLines(report(place))).toEqual([
        "# a plan",
        "",
        "of today",
        "",
        "## Claims",
        "",
        "| claim | found | | why | what it needs |",
        "|---|---:|---|---|---|",
        "| speed | 1 ms | refuted | too a\\|b slow | x ≥ 1; y ≤ 2 |",
        "| memory | | | it fits | – |",
        "",
        "measured",
        "",
        "- **step**: 1 ms",
        "  or more",
        "",
        "sum OK",
        "",
        "- of two",
        "",
        "```",
        "┌  ┐",
        "```",
        "",
        "## Findings",
        "",
        "### Some",
        "",
        "1. **Load**: uneven [`gpu-underused`] *(so)*",
        "   - &lt;b> of \\`all\\`",
        "     - deeper",
        "2. last",
      ]);
    },
  );

  test("fences what holds a fence by a longer one", () => {
    const blocks = [verbatim(["````", "a\u202E"])];
    expect(markdownLines({ sections: [{ blocks }] })).toEqual([
      "`````",
      "````",
      "a\\u{202e}",
      "`````",
    ]);
  });

  test("has every section of a run that a terminal has", async () => {
    const plan = await planOf("moe-ep3-tp2.json");
    const run = runReport(plan, runOf(plan));
    const text = markdownLines(run).join("\n");
    const titles = run.sections.flatMap(({ title, blocks }) =>
      title === undefined || blocks.length === 0 ? [] : [title],
    );
    expect(titles.length).toBeGreaterThan(8);
    for (const title of titles) {
      expect(text).toContain(`\n## ${title}\n`);
      expect(shown(run)).toContain(title);
    }
  });
});
