// A plan file as text: its plain value, and where in the text every part of it stands.

import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Document,
  type LineCounter,
  type Pair,
} from "yaml";
import type { Position } from "./diagnostic.ts";
import type { PlanFile } from "./schema.ts";

export type Path = readonly (string | number)[];

export interface PlanDocument {
  /** As given by the caller; appears in positions. */
  readonly file: string;
  readonly text: string;
  readonly format: "json" | "yaml";
  /** Absent where the text is neither JSON nor YAML. */
  readonly value?: unknown;
  /** The value, once it fits the schema: the plan as it was written. */
  readonly written?: PlanFile;
  readonly tree?: SyntaxTree;
}

export interface SyntaxTree {
  readonly yaml: Document;
  readonly lines: LineCounter;
}

/** Start and end of a value or a key, in characters from the start of the text. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

function pairOf(node: unknown, key: string | number): Pair | undefined {
  return isMap(node)
    ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
    : undefined;
}

function childOf(node: unknown, key: string | number): unknown {
  return isSeq(node) ? node.items[Number(key)] : pairOf(node, key)?.value;
}

function spanOf(node: unknown): TextSpan | undefined {
  if (isPair(node)) return spanOf(node.key);
  if (!isNode(node) || !node.range) return undefined;
  return { start: node.range[0], end: node.range[1] };
}

/**
 * The span of the value at `path`, of its key with `of` "key", or of the nearest enclosing value that
 * exists. `exact` tells which.
 */
export function spanAt(
  tree: SyntaxTree,
  path: Path,
  of: "key" | "value" = "value",
): (TextSpan & { readonly exact: boolean }) | undefined {
  let node: unknown = tree.yaml.contents;
  let span = spanOf(node);
  for (const [depth, key] of path.entries()) {
    const container = isAlias(node) ? node.resolve(tree.yaml) : node;
    const isLast = depth === path.length - 1;
    const child = isLast && of === "key" ? pairOf(container, key)?.key : childOf(container, key);
    if (child === undefined) return span && { ...span, exact: false };
    node = child;
    span = spanOf(child) ?? spanOf(pairOf(container, key)) ?? span;
  }
  return span && { ...span, exact: true };
}

/** Line and column of a path, or of the nearest enclosing value that exists. */
export function positionOf(
  document: PlanDocument,
  path: Path,
  of: "key" | "value" = "value",
): Position | undefined {
  if (document.tree === undefined) return undefined;
  const span = spanAt(document.tree, path, of);
  return span && positionAt(document.file, document.tree.lines, span.start);
}

export function positionAt(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** The part of a plain value at `path`. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
