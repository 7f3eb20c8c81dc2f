// How many columns of a terminal a text takes, and how to fold it.

import { stripVTControlCharacters } from "node:util";

/**
 * Text of which each character is a grapheme one column wide: Latin letters, dashes, arrows, signs of
 * mathematics, frames of tables. Whatever joins, combines or is wide is none of it.
 */
const plain =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u203b\u2070-\u209c\u2190-\u22ff\u2500-\u259f]*$/;
const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u;
const invisible = /^[\p{Mark}\p{Control}\p{Format}]+$/u;

/** Made where it is needed: that takes a good part of the time of a short command. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): string[] {
  if (plain.test(text)) return Array.from(text);
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns; colors take none, wide characters two. */
export function widthOf(text: string): number {
  const shown = stripVTControlCharacters(text);
  if (plain.test(shown)) return shown.length;
  let width = 0;
  for (const segment of graphemesOf(shown)) {
    if (invisible.test(segment)) continue;
    width += wide.test(segment) ? 2 : 1;
  }
  return width;
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text))) + text;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** The text, or its beginning and an ellipsis. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let short = "";
  for (const segment of graphemesOf(text)) {
    if (widthOf(short + segment) > width - 1) break;
    short += segment;
  }
  return `${short}…`;
}

/** Lines of at most `width` columns, broken at white space; a longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    const pieces = cut(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? "";
  }
  return line === "" ? lines : [...lines, line];
}

/** Every line starts `indent` columns in and ends within `width`. */
export function wrapIndented(text: string, width: number, indent: number): string[] {
  return wrap(text, width - indent).map((line) => " ".repeat(indent) + line);
}

function cut(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const segment of graphemesOf(word)) {
    if (widthOf(piece + segment) > width && piece !== "") {
      pieces.push(piece);
      piece = "";
    }
    piece += segment;
  }
  return [...pieces, piece];
}
