// Names in plans are text: they neither command a terminal or a CI log nor mark up a page.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import { checkPlan } from "../../src/check/check_plan.ts";
import { colorsFor } from "../../src/report/render/color.ts";
import {
  inert,
  inertJson,
  inertLine,
  inertMarkdown,
  inertPlanText,
} from "../../src/report/render/inert.ts";
import { analysisReport } from "../../src/report/analysis_report.ts";
import { markdownLines } from "../../src/report/render/markdown.ts";

describe("a line of output", () => {
  test.each([
    ["plain text, Grüße · 模型 👩‍🔬", "plain text, Grüße · 模型 👩‍🔬"],
    ["a\u001B[2Jb", "a\\x1b[2Jb"],
    ["a\u001B[8mb", "a\\x1b[8mb"],
    ["a\rb\nc\td", "a\\rb\\nc\\td"],
    ["a\u202Eb\u2066c\u200Bd\u2028e", "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{2028}e"],
    ["a\u009Bb\u007Fc", "a\\x9bb\\x7fc"],
    ["half \uD800 of one", "half \\u{d800} of one"],
    ["::error::x", "\\x3a:error::x"],
    ["   ::set-output name=a::b", "   \\x3a:set-output name=a::b"],
    ["a::b is no command", "a::b is no command"],
    ["x ##[error]y", "x #\\x23[error]y"],
    ["##vso[task.complete]", "#\\x23vso[task.complete]"],
    ["##teamcity[x]", "#\\x23teamcity[x]"],
  ])("%j is shown as %j", (line, shown) => {
    expect(inertLine(line, false)).toBe(shown);
    expect(inertLine(line, true)).toBe(shown);
  });

  test("colors of its own stay, and are text where there are none", () => {
    const { bad } = colorsFor({ isTTY: true }, {});
    expect(inertLine(bad("no"), true)).toBe(bad("no"));
    expect(inertLine(bad("no"), false)).toBe("\\x1b[31mno\\x1b[39m");
    expect(inertLine(bad("::error::"), true)).toBe(bad("\\x3a:error::"));
  });

  test("nothing hidden is left of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, isColored) => {
        expect(inertLine(text, isColored)).not.toMatch(/[\p{Bidi_Control}\p{Zl}\p{Zp}\n\r\u009b]/u);
        expect(inert(inert(text))).toBe(inert(text));
      }),
    );
  });
});

test("JSON is the same to who parses it, and has nothing hidden", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const json = inertJson(JSON.stringify({ text, mark: "##[error]\u202E\u{E0041}" }, null, 2));
      expect(JSON.parse(json)).toEqual({ text, mark: "##[error]\u202E\u{E0041}" });
      expect(json).not.toMatch(/[\p{Bidi_Control}\p{Zl}\p{Zp}\u007f-\u009f]|##\[/u);
    }),
  );
});

test.each([
  ['{\r\n\t"a": "\u009B2J\u202E"\r\n}', '{\r\n\t"a": "\\u009b2J\\u202e"\r\n}'],
  ["# \u001B[2J\r\n\ta: b\rc\n::error::\n", "# \\x1b[2J\r\n\ta: b\\rc\n\\x3a:error::\n"],
  ["{\n::error::x: \u202E1}\n", "{\n\\x3a:error::x: \\u{202e}1}\n"],
  ["a: 1\n\nb: [x, 模型]\n", "a: 1\n\nb: [x, 模型]\n"],
])("the text of a plan %j is printed as %j", (text, shown) => {
  expect(inertPlanText(text)).toBe(shown);
});

describe("Markdown", () => {
  test.each([
    ["a|b", "a\\|b"],
    ["`code`", "\\`code\\`"],
    ["<img src=x>", "&lt;img src=x>"],
    ["[text](http://host)", "[text\\](http&#58;//host)"],
    ["www.host", "www&#8203;.host"],
    ["@someone", "&#64;someone"],
    ["**bold** ~~gone~~", "\\*\\*bold\\*\\* \\~\\~gone\\~\\~"],
    ["&lt;", "&amp;lt;"],
    ["line\n# heading", "line\\n# heading"],
    ["embed_to_expert [0, 1] & more", "embed_to_expert [0, 1] & more"],
  ])("%j becomes %j", (text, shown) => {
    expect(inertMarkdown(text)).toBe(shown);
  });

  const evil = "a|`b`<script>[x](http://h)\n\n# c\u202E::error::";
  const written = JSON.stringify({
    name: `plan ${evil}`,
    hardware: { gpus: 2 },
    workload: { batch: 4 },
    optimizations: [`faster ${evil}`],
    stages: [
      {
        name: `first ${evil}`,
        layers: [{ op: "linear", in: 8, out: 8, parallel: { kind: "column", gpus: [0, 1] } }],
      },
      {
        name: `second ${evil}`,
        layers: [{ op: "linear", in: 8, out: 8, parallel: { kind: "row", gpus: [0, 1] } }],
      },
    ],
    communications: [{ name: `move ${evil}`, op: "all-gather", from: [0, 1], to: [0, 1] }],
  });

  test("a report of a plan with such names has none of them as they are", () => {
    const { plan, document, diagnostics } = parsePlan(written, `${evil}.json`);
    const found = [...diagnostics, ...(plan === undefined ? [] : checkPlan(plan, document))];
    const report = markdownLines(
      analysisReport({ ...(plan && { plan }), document, diagnostics: found }),
    );
    expect(plan).toBeDefined();
    expect(report.join("\n")).toContain("&lt;script>");
    let isCode = false;
    const text = report.filter((line) => {
      const isFence = /^\s*```/.test(line);
      if (isFence) isCode = !isCode;
      return !isFence && !isCode;
    });
    expect(text.join("\n")).not.toMatch(/<script>|(?<!\\)\]\(http/);
    expect(report.filter((line) => /[\n\u202E]/.test(line))).toEqual([]);
    expect(isCode).toBe(false);
  });
});
