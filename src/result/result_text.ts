// The text of a result file, and what it holds beside the result: a digest, and samples as columns.

import type { RunResult } from "./result.ts";
import { sampleColumns } from "./sample_columns.ts";
import { seal } from "./seal.ts";

/** JSON; lists of numbers and names take one line each. */
export function textOfResult(result: RunResult): string {
  const samples = sampleColumns(result.samples);
  return `${laidOut(seal({ ...result, samples, ...laidOutTrace(result) }), "")}\n`;
}

/** Spans as columns, as samples are. */
function laidOutTrace({ trace }: RunResult) {
  if (trace === undefined) return {};
  const ranks = trace.ranks.map(({ spans, ...rank }) => ({ ...rank, spans: sampleColumns(spans) }));
  return { trace: { ...trace, ranks } };
}

function laidOut(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null || isPlainList(value)) {
    return JSON.stringify(value);
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return isList ? "[]" : "{}";
  const inner = `${indent}  `;
  const items = entries.map(
    ([key, item]) => `${inner}${isList ? "" : `${JSON.stringify(key)}: `}${laidOut(item, inner)}`,
  );
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}

function isPlainList(value: object): boolean {
  return Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
}
