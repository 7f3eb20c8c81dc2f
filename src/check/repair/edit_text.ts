// JSON Patch on the text of a plan file: JSON stays JSON, YAML keeps its comments, and what a patch does
// not name stays as it was written.

import { isDeepStrictEqual } from "node:util";
import { isMap, isNode, isSeq, isPair, stringify } from "yaml";
import type { Path, PlanDocument, TextSpan, SyntaxTree } from "../../plan/document.ts";
import { spanAt, valueAt } from "../../plan/document.ts";
import { parseText } from "../../plan/syntax.ts";
import type { PatchOperation } from "./fix.ts";
import { patched } from "./patch.ts";

/** The document's text with the patch applied; its value is exactly that of the patched value. */
export function editText(document: PlanDocument, patch: readonly PatchOperation[]): string {
  const { file, format } = document;
  const wanted = patched(document.value, patch);
  const text = patch.reduce((before, operation) => edited(before, file, operation), document.text);
  if (isDeepStrictEqual(parseText(text, file).document.value, wanted)) return text;
  return format === "json" ? `${JSON.stringify(wanted, undefined, 2)}\n` : stringify(wanted);
}

function pathOf(pointer: string): Path {
  return pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function edited(text: string, file: string, operation: PatchOperation): string {
  const { tree, value } = parseText(text, file).document;
  if (tree === undefined) return text;
  const path = pathOf(operation.path);
  switch (operation.op) {
    case "replace":
      return replaced(text, tree, path, operation.value);
    case "add":
      return !Array.isArray(valueAt(value, path.slice(0, -1))) && valueAt(value, path) !== undefined
        ? replaced(text, tree, path, operation.value)
        : added(text, tree, path, operation.value);
    case "remove":
      return removed(text, tree, path);
    case "move": {
      const span = spanAt(tree, pathOf(operation.from), "key");
      if (span === undefined || !span.exact) return text;
      return text.slice(0, span.start) + JSON.stringify(path.at(-1)) + text.slice(span.end);
    }
  }
}

function replaced(text: string, tree: SyntaxTree, path: Path, value: unknown): string {
  const span = spanAt(tree, path);
  if (span === undefined || !span.exact) return text;
  const isScalar = typeof value !== "object" || value === null;
  if (isScalar || isFlow(text, span) || text.trimStart().startsWith("{")) {
    return (
      text.slice(0, span.start) + jsonText(value, indentAt(text, span.start)) + text.slice(span.end)
    );
  }
  tree.yaml.setIn(path, tree.yaml.createNode(value));
  return tree.yaml.toString({ lineWidth: 0 });
}

function added(text: string, tree: SyntaxTree, path: Path, value: unknown): string {
  const parent = spanAt(tree, path.slice(0, -1));
  const items = itemSpans(tree, path.slice(0, -1));
  if (parent === undefined || items === undefined || !isFlow(text, parent)) {
    if (path.at(-1) === "-") tree.yaml.addIn(path.slice(0, -1), tree.yaml.createNode(value));
    else tree.yaml.setIn(path, tree.yaml.createNode(value));
    return tree.yaml.toString({ lineWidth: 0 });
  }
  const isList = text[parent.start] === "[";
  const last = items.at(-1);
  const first = items[0];
  const ownLine = first !== undefined && text.slice(parent.start, first.start).includes("\n");
  const indent = first === undefined ? "" : indentAt(text, first.start);
  const item = jsonText(value, ownLine ? indent : indentAt(text, parent.start));
  const entry = isList ? item : `${JSON.stringify(String(path.at(-1)))}: ${item}`;
  if (last === undefined) {
    return text.slice(0, parent.start + 1) + entry + text.slice(parent.end - 1);
  }
  const separator = ownLine ? `,\n${indent}` : ", ";
  return text.slice(0, last.end) + separator + entry + text.slice(last.end);
}

function removed(text: string, tree: SyntaxTree, path: Path): string {
  const parent = spanAt(tree, path.slice(0, -1));
  const items = itemSpans(tree, path.slice(0, -1));
  const own = spanAt(tree, path, "key");
  const at = items?.findIndex(({ start }) => start === own?.start) ?? -1;
  const item = items?.[at];
  if (parent === undefined || items === undefined || item === undefined || !isFlow(text, parent)) {
    tree.yaml.deleteIn(path);
    return tree.yaml.toString({ lineWidth: 0 });
  }
  const next = items[at + 1];
  const before = items[at - 1];
  const start = next === undefined && before !== undefined ? before.end : item.start;
  return text.slice(0, start) + text.slice(next === undefined ? item.end : next.start);
}

/** Keys and indices of the file, as the syntax tree wants them. */
function itemSpans(tree: SyntaxTree, path: Path): TextSpan[] | undefined {
  const container = path.length === 0 ? tree.yaml.contents : tree.yaml.getIn(path, true);
  if (!isMap(container) && !isSeq(container)) return undefined;
  const spans = container.items.flatMap((item): TextSpan[] => {
    const [from, to] = isPair(item) ? [item.key, item.value] : [item, item];
    if (!isNode(from) || !isNode(to) || !from.range || !to.range) return [];
    return [{ start: from.range[0], end: to.range[1] }];
  });
  return spans.length === container.items.length ? spans : undefined;
}

function isFlow(text: string, { start }: TextSpan): boolean {
  return text[start] === "{" || text[start] === "[";
}

/** Spaces before the first character of the line that `at` is on. */
function indentAt(text: string, at: number): string {
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, at))?.[0] ?? "";
}

/** Objects on lines of their own, lists on one line, as people write plans. */
function jsonText(value: unknown, indent: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, indent)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${jsonText(item, inner)}`,
  );
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
}
