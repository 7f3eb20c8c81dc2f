// Texts as editors, shells and Python leave them.

import { expect, test } from "vitest";
import { decodeText } from "../../src/plan/decode_text.ts";
import { strictJson } from "../../src/plan/import/lenient_json.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { codes, errorsAt, planOf } from "./imported.ts";

const sizes = `"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
  "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 256`;
function config(text: string) {
  return { name: "config.json", text };
}

test.each([
  ["plain", `{ ${sizes} }`],
  ["a byte-order mark", `\uFEFF{ ${sizes} }`],
  ["carriage returns", `{ ${sizes} }`.replaceAll("\n", "\r\n")],
  ["comments", `// of March\n{ ${sizes} /* "vocab_size": 9, */ }`],
  ["a comma too many", `{ ${sizes}, }`],
  ["Infinity", `{ ${sizes}, "time_step_limit": [0.0, Infinity] }`],
  ["minus Infinity", `{ ${sizes}, "time_step_limit": [-Infinity, 0.0] }`],
  ["NaN", `{ ${sizes}, "attention_dropout": NaN }`],
  ["words in a text that look like one", `{ ${sizes}, "_name_or_path": "NaN // Infinity, }" }`],
])("a config with %s is read", (_what, text) => {
  const { file, diagnostics } = planOf([config(text)]);
  expect(file.model).toMatchObject({ hidden: 64, vocabulary: 256 });
  expect(codes(diagnostics)).not.toContain("key-not-understood");
});

test("what is mended keeps every place, so that a fault is said where it is", () => {
  const text = `{ "a": Infinity, "b": NaN, /* c */ "d": [1,], }`;
  expect(strictJson(text)).toHaveLength(text.length);
  expect(errorsAt([config('// first\n{\n  "model_type": "llama", /* x */ oops }')])).toMatchObject([
    { code: "not-json", position: { line: 3, column: 34 } },
  ]);
});

test.each(["utf-8", "utf-16le", "utf-16be"])("a file in %s with its mark is a text", (encoding) => {
  const little = Buffer.from("\uFEFF{é}", encoding === "utf-8" ? "utf8" : "utf16le");
  const bytes = encoding === "utf-16be" ? Buffer.from(little).swap16() : little;
  expect(decodeText(bytes)).toBe("{é}");
});

test("UTF-16 without a mark is named, not taken for broken JSON", () => {
  const text = Buffer.from(`{ ${sizes} }`, "utf16le").toString("utf8");
  expect(errorsAt([config(text)])).toMatchObject([{ code: "not-text" }]);
});

test("a plan may begin with a byte-order mark too", () => {
  const text =
    "\uFEFFname: x\nhardware: { gpus: 1 }\nworkload: { batch: 1 }\nmodel: { layers: 1, hidden: 8, heads: 2 }\n";
  expect(parsePlan(text, "p.yaml").plan?.name).toBe("x");
});
