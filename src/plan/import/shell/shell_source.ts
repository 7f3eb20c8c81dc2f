// A pasted text as a shell would get it: characters that came from an editor, a web page or a terminal and
// that no shell reads are taken out, each in place, so that positions stay.

/** Stands for a character that is part of a word here, and an operator to a shell. */
const hidden = new Map([
  ["(", "\uE000"],
  [")", "\uE001"],
  ["<", "\uE002"],
  [">", "\uE003"],
  [";", "\uE004"],
  ["&", "\uE005"],
  ["|", "\uE006"],
  ["#", "\uE007"],
  ["`", "\uE008"],
]);
const shown = new Map([...hidden].map(([character, stand]) => [stand, character]));

function hide(text: string): string {
  return text.replaceAll(/[()<>;&|#`]/g, (character) => hidden.get(character) ?? character);
}

export function reveal(text: string): string {
  return /[\uE000-\uE008]/.test(text)
    ? text.replaceAll(/[\uE000-\uE008]/g, (stand) => shown.get(stand) ?? stand)
    : text;
}

/** Flags without a program: newlines separate them, and brackets are theirs. */
export function isBareList(text: string): boolean {
  return /^\s*--?[A-Za-z]/.test(text);
}

/** As editors of any system write it. */
export function withNewlines(text: string): string {
  // A backslash that ends the text was cut off from its next line.
  return text
    .replaceAll("\r\n", "\n")
    .replace(/^\uFEFF/, " ")
    .trimEnd()
    .replace(/\s\\$/, "");
}

export function shellSource(plain: string): string {
  if (isBareList(plain)) {
    // An operator outside of quotes belongs to a value, such as ([0]*3+[1]*58); a backslash ends no line.
    return plain
      .replaceAll(/\\\n/g, "  ")
      .replaceAll(
        /"(?:[^"\\]|\\.)*"|'[^']*'|\$\(\([^\n]*?\)\)|\$\([^\n]*?\)|[()<>;&|\n]/g,
        (found) => (found === "\n" ? " " : found.length === 1 ? hide(found) : found),
      );
  }
  // The prompt of a terminal, before a command and before its next lines.
  const prompt = /^([ \t]*)\$ (?=\S)/m.test(plain) ? /^([ \t]*)[$>] (?=[^\n])/gm : /(?!)/g;
  return (
    plain
      // A fence of Markdown.
      .replaceAll(/^[ \t]*```[^\n]*/gm, (line) => "#".padEnd(line.length, " "))
      .replaceAll(prompt, "$1  ")
      // <model> stands for a name; to a shell it would be a redirection.
      .replaceAll(/(?<![<>\d&\w])<([A-Za-z][\w./:-]*)>(?![>&])/g, hide)
  );
}
