// JSON objects that carry a digest of themselves, read from text that anybody may have written.

import type { z } from "zod";
import { isSealed } from "./seal.ts";

/** A text as a JSON object, or why it is none that can be walked through. */
export function jsonObject(
  text: string,
): { readonly object: Readonly<Record<string, unknown>> } | { readonly why: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { why: "it holds no object" };
  }
  return isDeeperThan(mostLevels, value)
    ? { why: `it has more than ${mostLevels} levels` }
    : { object: { ...value } };
}

/** The content of a sealed file, as its schema has it, or why it is refused. */
export function sealedContent<Content>(
  text: string,
  schema: z.ZodType<Content>,
): { readonly content: Content } | { readonly why: string } {
  const parsed = jsonObject(text);
  if ("why" in parsed) return parsed;
  if (!isSealed(parsed.object))
    return { why: "it was edited since it was written, or is not whole" };
  const { sha256: _, ...sealed } = parsed.object;
  const found = schema.safeParse(sealed);
  if (found.success) return { content: found.data };
  const [issue] = found.error.issues;
  return { why: `${issue?.path.join(".")}: ${issue?.message}` };
}

/** Twice as many as a result has; whoever walks through the content need not fear for the stack. */
const mostLevels = 32;

function isDeeperThan(levels: number, value: object): boolean {
  let inner: object[] = [value];
  for (let level = 0; level < levels; level += 1) {
    inner = inner.flatMap((each) =>
      Object.values(each).filter((part: unknown) => typeof part === "object" && part !== null),
    );
  }
  return inner.length > 0;
}
