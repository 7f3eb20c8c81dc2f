// JSON as tools and people write it, as JSON: Python writes NaN and Infinity, editors leave comments and
// commas before a closing bracket. Every character keeps its place, so that positions stay right.

import stripJsonComments from "strip-json-comments";

/** The text as it is where it is no JSON of any kind; whoever parses it finds out. */
export function strictJson(text: string): string {
  return stripJsonComments(text, { whitespace: true, trailingCommas: true }).replaceAll(
    /"(?:[^"\\]|\\.)*"|\bInfinity\b|\bNaN\b/g,
    (token) => {
      if (token === "Infinity") return "1e999   ";
      // No number of JSON; an empty text is no number either, and no size.
      return token === "NaN" ? '"" ' : token;
    },
  );
}
