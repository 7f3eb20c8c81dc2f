// Text to document: YAML or JSON, with limits that keep a hostile or mistaken file from exhausting us.

import { Composer, type CST, isMap, isScalar, LineCounter, Parser, visit } from "yaml";
import type { Document } from "yaml";
import { withoutMark } from "./decode_text.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type PlanDocument, positionAt } from "./document.ts";
import { jsonError } from "./json_syntax.ts";

/** Plans are a few kilobytes; the parser takes a second or two per megabyte, and more on a busy machine. */
export const maxPlanCharacters = 250_000;
/** The composer recurses, so that depth is counted before it sees the text. */
export const maxNesting = 64;
const maxAliases = 100;
/** A text with more faults than this is something else than a plan. */
export const maxFaults = 100;

export interface ParsedText {
  readonly document: PlanDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** The text's value and positions; every syntax error at once. Never throws. */
export function parseText(given: string, file: string): ParsedText {
  const text = withoutMark(given);
  const format = file.toLowerCase().endsWith(".json") ? "json" : "yaml";
  const lines = new LineCounter();
  const bare: PlanDocument = { file, text, format };
  const error = (code: string, message: string, hint: string, offset = 0): Diagnostic => ({
    code,
    severity: "error",
    path: [],
    message,
    hint,
    position: positionAt(file, lines, offset),
  });
  const refuse = (code: string, message: string, hint: string, offset = 0): ParsedText => ({
    document: bare,
    diagnostics: [error(code, message, hint, offset)],
  });

  if (text.length > maxPlanCharacters) {
    return refuse(
      "file-too-large",
      `the file has more than ${maxPlanCharacters} characters`,
      "give a plan file, not a checkpoint or a log",
    );
  }
  addLines(lines, text);
  const notJson = format === "json" ? jsonError(text) : undefined;
  if (notJson !== undefined) {
    return refuse(
      "not-json",
      notJson.message,
      "mend the syntax, or name the file .yaml",
      notJson.offset,
    );
  }
  const tooDeep = () =>
    refuse(
      "nested-too-deep",
      `values are nested more than ${maxNesting} deep`,
      "a plan needs fewer than ten levels",
    );
  const brackets = format === "json" ? text.replace(jsonString, "") : text;
  if (bracketDepth(brackets) > maxNesting) return tooDeep();
  const tokens = [...new Parser().parse(text)];
  if (tokenDepth(tokens) > maxNesting) return tooDeep();

  const [yaml, second] = new Composer(composing).compose(tokens, true, text.length);
  if (yaml === undefined || yaml.contents === null) {
    return refuse("file-empty", "the file holds no plan", "see the README for the plan format");
  }
  if (second !== undefined) {
    return refuse(
      "several-documents",
      "the file holds more than one YAML document",
      "write each plan in a file of its own",
      second.range[0],
    );
  }
  const diagnostics = [
    ...[...yaml.errors, ...yaml.warnings]
      .slice(0, maxFaults)
      .map(({ message, pos }) => error("not-yaml", message, "mend the syntax", pos[0])),
    ...repeatedKeys(yaml)
      .slice(0, maxFaults)
      .map((at) => error("duplicate-key", "this key is given twice", "keep one of the two", at)),
  ];
  if (diagnostics.length > 0) return { document: bare, diagnostics };
  try {
    const value: unknown = yaml.toJS({ maxAliasCount: maxAliases });
    return { document: { ...bare, value, tree: { yaml, lines } }, diagnostics: [] };
  } catch (caught) {
    const reason = caught instanceof Error ? caught.message : String(caught);
    return refuse("too-many-aliases", reason, `use fewer than ${maxAliases} YAML aliases`);
  }
}

const composing = {
  stringKeys: true,
  resolveKnownTags: false,
  logLevel: "error",
  // The library compares every key with every other; see `repeatedKeys`.
  uniqueKeys: false,
} as const;

/** Where a map has a key that it has already, in characters from the start of the text. */
function repeatedKeys(yaml: Document.Parsed): number[] {
  const found: number[] = [];
  visit(yaml, {
    Map: (_key, map) => {
      const seen = new Set<unknown>();
      for (const { key } of isMap(map) ? map.items : []) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
  });
  return found;
}

function addLines(lines: LineCounter, text: string): void {
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    lines.addNewLine(at + 1);
  }
}

const jsonString = /"(?:[^"\\]|\\.)*"/g;

/** At least the depth of brackets, whatever is quoted in YAML: its strings hold no dozens of brackets. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
  }
  return deepest;
}

function childTokens(token: CST.Token): CST.Token[] {
  const children: (CST.Token | null | undefined)[] = [];
  if (token.type === "document") children.push(token.value);
  if ("items" in token) {
    for (const item of token.items) children.push(item.key, item.value);
  }
  return children.filter((child) => child !== null && child !== undefined);
}

/** Walked without recursion, which is the point of it. */
function tokenDepth(tokens: readonly CST.Token[]): number {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  let deepest = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    deepest = Math.max(deepest, depth);
    if (depth > maxNesting) break;
    for (const child of childTokens(token)) open.push({ token: child, depth: depth + 1 });
  }
  return deepest;
}
