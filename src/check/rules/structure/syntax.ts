// What `src/plan/syntax.ts` refuses: a text that is no value.

import { degreesWith, wholeFile } from "../../example.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";

const fileEmpty: DiagnosticDefinition = {
  code: "file-empty",
  severity: "error",
  title: "File Empty",
  requires: "The file holds a plan.",
  examples: {
    bad: wholeFile("# nothing"),
    good: degreesWith(),
  },
};

const fileTooLarge: DiagnosticDefinition = {
  code: "file-too-large",
  severity: "error",
  title: "File Too Large",
  requires: "A plan has at most 250,000 characters.",
  examples: {
    bad: wholeFile(" ".repeat(250_001), "plan.yaml", "# 250,001 characters"),
    good: degreesWith(),
  },
};

const notJson: DiagnosticDefinition = {
  code: "not-json",
  severity: "error",
  title: "Not Json",
  requires: "A file named .json is JSON.",
  examples: {
    bad: wholeFile('{ "name": "x", }', "plan.json"),
    good: wholeFile('{ "name": "x" }', "plan.json"),
  },
};

const notYaml: DiagnosticDefinition = {
  code: "not-yaml",
  severity: "error",
  title: "Not Yaml",
  requires: "Any other file is YAML, of which JSON is a part.",
  examples: {
    bad: wholeFile("name: [x"),
    good: degreesWith(),
  },
};

const nestedTooDeep: DiagnosticDefinition = {
  code: "nested-too-deep",
  severity: "error",
  title: "Nested Too Deep",
  requires: "Values are nested at most 64 deep.",
  examples: {
    bad: wholeFile(
      `name: ${"[".repeat(65)}${"]".repeat(65)}`,
      "plan.yaml",
      "name: [[[[ … 65 deep … ]]]]",
    ),
    good: degreesWith(),
  },
};

const severalDocuments: DiagnosticDefinition = {
  code: "several-documents",
  severity: "error",
  title: "Several Documents",
  requires: "A file holds one plan.",
  examples: {
    bad: wholeFile("name: a\n---\nname: b"),
    good: degreesWith(),
  },
};

const duplicateKey: DiagnosticDefinition = {
  code: "duplicate-key",
  severity: "error",
  title: "Duplicate Key",
  requires: "A key stands once in an object.",
  examples: {
    bad: wholeFile("name: a\nname: b"),
    good: degreesWith(),
  },
};

const tooManyAliases: DiagnosticDefinition = {
  code: "too-many-aliases",
  severity: "error",
  title: "Too Many Aliases",
  requires: "YAML aliases do not multiply into a huge value.",
  examples: {
    bad: wholeFile(
      "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c]",
    ),
    good: degreesWith(),
  },
};

export const fileIsReadable: RuleDefinition = {
  chapter: "structure",
  diagnostics: [
    fileEmpty,
    fileTooLarge,
    notJson,
    notYaml,
    nestedTooDeep,
    severalDocuments,
    duplicateKey,
    tooManyAliases,
  ],
};
