// Brace expansion: `{a,b}` and `{0..7}` make several words of one, before anything else is expanded.

import type { BraceExpansionPart, LiteralPart, Word, WordPart } from "unbash";

type Parts = readonly WordPart[];

/** A word stands for no more words than this, and braces are no deeper: else they are not followed. */
const maxWords = 256;
const maxDepth = 16;

/** The words that one stands for, in order: itself where it has no braces that a shell expands. */
export function braceExpanded(word: Word): readonly Word[] {
  const { parts } = word;
  if (parts?.some(({ type }) => type === "BraceExpansion") !== true) return [word];
  const all = parts.reduce<readonly Parts[] | undefined>(
    (words, part) => words && product(words, alternativesOf(part)),
    [[]],
  );
  return all === undefined ? [word] : all.map((each) => ({ ...word, parts: each }));
}

function product(
  words: readonly Parts[],
  alternatives: readonly Parts[],
): readonly Parts[] | undefined {
  return words.length * alternatives.length > maxWords
    ? undefined
    : words.flatMap((word) => alternatives.map((more) => [...word, ...more]));
}

function alternativesOf(part: WordPart): readonly Parts[] {
  if (part.type !== "BraceExpansion") return [[part]];
  if (part.parts === undefined) {
    return textsOf(part.text)?.map((text) => [literal(text, part.pos)]) ?? [[part]];
  }
  // Braces within braces are followed where they are plain text only.
  const items = splitAtCommas(part.parts);
  if (part.parts.some(({ type, text }) => type === "Literal" && /[{}\\]/.test(text))) {
    return [[part]];
  }
  return items.length > 1 ? items : [asWritten(part)];
}

/** Without a comma they are no expansion: `{0..$N}` stays as it is, but for the variable. */
function asWritten({ parts = [], pos, end }: BraceExpansionPart): Parts {
  return [literal("{", pos), ...parts, literal("}", end - 1)];
}

function splitAtCommas(parts: Parts): WordPart[][] {
  const items: WordPart[][] = [[]];
  for (const part of parts) {
    if (part.type !== "Literal") items.at(-1)?.push(part);
    else {
      for (const [index, text] of part.value.split(",").entries()) {
        if (index > 0) items.push([]);
        if (text !== "") items.at(-1)?.push(literal(text, part.pos));
      }
    }
  }
  return items;
}

function literal(text: string, pos: number): LiteralPart {
  return {
    type: "Literal",
    pos,
    end: pos + text.length,
    value: text,
    text,
  };
}

/** Of plain text with braces, outermost first; undefined where they are not followed. */
function textsOf(text: string, depth = 0): readonly string[] | undefined {
  const open = text.indexOf("{");
  const close = closingOf(text, open);
  if (open < 0 || close < 0) return [text];
  if (depth > maxDepth) return undefined;
  const inner = text.slice(open + 1, close);
  const stems = stemsOf(inner, depth + 1);
  const rests = textsOf(text.slice(close + 1), depth + 1);
  if (stems === undefined || rests === undefined) return undefined;
  if (stems.length * rests.length > maxWords) return undefined;
  return stems.flatMap((stem) => rests.map((rest) => `${text.slice(0, open)}${stem}${rest}`));
}

/** What a pair of braces stands for: without comma or range itself, with what is expanded within. */
function stemsOf(inner: string, depth: number): readonly string[] | undefined {
  const items = itemsOf(inner);
  if (items.length === 1) {
    const range = rangeOf(inner);
    if (range !== undefined) return range === "too long" ? undefined : range;
    return textsOf(inner, depth)?.map((text) => `{${text}}`);
  }
  const all = items.slice(0, maxWords + 1).map((item) => textsOf(item, depth));
  const known = all.flatMap((texts) => texts ?? []);
  return all.includes(undefined) || known.length > maxWords ? undefined : known;
}

function closingOf(text: string, open: number): number {
  let depth = 0;
  for (let at = Math.max(0, open); at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (text[at] === "}" && depth === 0) return at;
  }
  return -1;
}

function itemsOf(inner: string): string[] {
  const items = [""];
  let depth = 0;
  for (const character of inner) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (character === "," && depth === 0) items.push("");
    else items[items.length - 1] += character;
  }
  return items;
}

/** `0..7`, `7..0`, `0..8..2`, `01..10`, `a..e`. */
function rangeOf(inner: string): readonly string[] | "too long" | undefined {
  const [, from = "", to = "", by = "1"] =
    /^(-?\d{1,9}|[a-z]|[A-Z])\.\.(-?\d{1,9}|[a-z]|[A-Z])(?:\.\.(-?\d{1,6}))?$/.exec(inner) ?? [];
  const isNumber = /\d/.test(from);
  if (from === "" || isNumber !== /\d/.test(to)) return undefined;
  const at = (text: string): number => (isNumber ? Number(text) : (text.codePointAt(0) ?? 0));
  const step = Math.abs(Number(by)) || 1;
  const [first, last] = [at(from), at(to)];
  const count = Math.floor(Math.abs(last - first) / step) + 1;
  if (count > maxWords) return "too long";
  const isPadded = [from, to].some((text) => /^-?0\d/.test(text));
  const width = isPadded ? Math.max(from.length, to.length) : 0;
  return Array.from({ length: count }, (_, index) => {
    const value = first + Math.sign(last - first) * step * index;
    return isNumber ? padded(value, width) : String.fromCodePoint(value);
  });
}

function padded(value: number, width: number): string {
  return value < 0
    ? `-${String(-value).padStart(width - 1, "0")}`
    : String(value).padStart(width, "0");
}
