// Text of others, names in plans and results above all, as it is shown: nothing that it says moves the cursor, turns
// the direction of reading, ends a line, marks up a page or commands whoever reads a log.

/** Controls, line separators, direction of reading, what takes no room, and halves of characters. */
const hidden =
  "[\\p{Control}\\p{Bidi_Control}\\p{Zl}\\p{Zp}\\p{Surrogate}\\u200B\\u2060\\uFEFF\\u{E0000}-\\u{E007F}]";
/** What `Colors` writes. */
const style = "\\u001B\\[(?:1|2|22|31|32|33|39)m";

const anyHidden = new RegExp(hidden, "gu");
const styleOrHidden = new RegExp(`${style}|${hidden}`, "gu");
/** Blanks of the layout stay. */
const hiddenInJson = new RegExp(`(?!\\r?\\n|\\t)${hidden}`, "gu");
const withinLayout = /(?:(?!\r?\n|\t).)+/gsu;

/** At the start of a line of a log: GitHub's commands, whatever stands before them in blanks and colors. */
const command = new RegExp(`^((?:\\s|${style})*)::`, "u");
/** Anywhere in it: those of GitHub before, of Azure and of TeamCity. */
const bracketCommand = /##(?=\w*\[)/g;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const short = { 9: "\\t", 10: "\\n", 13: "\\r" }[code];
  return short ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 1)}}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** On one line, with every character to be seen. */
export function inert(text: string): string {
  return text.replace(anyHidden, escaped);
}

/**
 * A line of output.
 *
 * @param isColored whether colors in it are its own
 */
export function inertLine(line: string, isColored: boolean): string {
  return line
    .replace(styleOrHidden, (found) =>
      found.length > 2 && isColored ? found : Array.from(found, escapedOrItself).join(""),
    )
    .replace(command, "$1\\x3a:")
    .replace(bracketCommand, "#\\x23");
}

function escapedOrItself(character: string): string {
  return character.replace(anyHidden, escaped);
}

/** JSON stays the same JSON. */
export function inertJson(json: string): string {
  return json
    .replace(hiddenInJson, (found) =>
      Array.from({ length: found.length }, (_, i) => `\\u${hex(found.charCodeAt(i), 4)}`).join(""),
    )
    .replace(bracketCommand, "#\\u0023");
}

/**
 * The text of a plan, to be printed. JSON stays the same JSON; in YAML a comment or a plain scalar shows what it would
 * have hidden.
 */
export function inertPlanText(text: string): string {
  return isJson(text)
    ? inertJson(text)
    : text.replace(withinLayout, (found) => inertLine(found, false));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What would begin code, a cell, a tag, emphasis, a link, a mention or a character's name in Markdown. */
const markup = /[`|*~<@]|\](?=[[(:])|&(?=#?\w+;)|:(?=\/\/)|\bwww(?=\.)/gi;

const asEntity: Readonly<Record<string, string>> = {
  "<": "&lt;",
  "@": "&#64;",
  "&": "&amp;",
  ":": "&#58;",
};

/** Within a line of Markdown, a table's cell included. */
export function inertMarkdown(text: string): string {
  return inert(text).replace(markup, (found) =>
    /^www$/i.test(found) ? `${found}&#8203;` : (asEntity[found] ?? `\\${found}`),
  );
}
